#include "standard_output.h"

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace dualstream::command {

ExitCode write_stdout(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return ExitCode::ok;
  }
  std::fprintf(stderr, "dualstream: cannot write to stdout: %s\n",
               std::generic_category().message(errno).c_str());
  return ExitCode::output_failed;
}

}  // namespace dualstream::command
