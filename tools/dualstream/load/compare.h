// compare_runs() sets two runs side by side, from the JSON that each has written.
#pragma once

#include <string>

#include "dualstream/status.h"

namespace dualstream::command {

// A table: each figure of both runs and how many times the first the second is; above it, what the
// runs were asked for and is not the same. `a` and `b` are the texts of the files of these names.
[[nodiscard]] Status compare_runs(const std::string& a_name, const std::string& a,
                                  const std::string& b_name, const std::string& b,
                                  std::string& table);

}  // namespace dualstream::command
