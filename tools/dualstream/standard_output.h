// write_stdout() writes the whole of a text, or says why it could not.
#pragma once

#include <string_view>

#include "exit_code.h"

namespace dualstream::command {

// `ok`, or `output_failed` once the reason stands on stderr.
[[nodiscard]] ExitCode write_stdout(std::string_view text);

}  // namespace dualstream::command
