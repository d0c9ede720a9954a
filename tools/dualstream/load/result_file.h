// Files that a run is written to at its end, looked at before it begins: an hour of load must not
// end in a folder that does not exist.
#pragma once

#include <string>
#include <string_view>

#include "dualstream/status.h"

namespace dualstream::command {

// Makes the file if there is none, and leaves it as it is if there is one.
[[nodiscard]] Status check_result_file(const std::string& name);

// Replaces what is in it.
[[nodiscard]] Status write_result_file(const std::string& name, std::string_view text);

}  // namespace dualstream::command
