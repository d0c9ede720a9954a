// run_command() runs a program and takes what it writes.
#pragma once

#include <string>
#include <vector>

namespace dualstream::testing {

struct CommandResult {
  // The program's, or 128 + the signal that ended it.
  int exit_code = 0;
  // Its stdout, byte for byte. stderr goes where the test's goes.
  std::string output;
};

// Waits for the end. `arguments[0]` is the program, looked up in PATH. Throws std::system_error
// when it cannot be started.
[[nodiscard]] CommandResult run_command(const std::vector<std::string>& arguments);

// The project's folder and the folder of the build, from DUALSTREAM_SOURCE_DIR and
// DUALSTREAM_BINARY_DIR where set (by ctest), else as this library was built.
[[nodiscard]] std::string source_dir();
[[nodiscard]] std::string binary_dir();

}  // namespace dualstream::testing
