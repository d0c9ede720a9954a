// parse_command_line() finds the subcommand, the flags and the operands. The one file that knows
// CLI11.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "commands.h"
#include "dualstream/status.h"

namespace dualstream::command {

struct CommandLine {
  bool help = false;
  bool version = false;
  const Command* command = nullptr;
  std::vector<GivenFlag> flags;
  std::vector<std::string> operands;
};

// An unknown flag or subcommand is an error that names the nearest known one, or the subcommands
// that have the flag. When `help` is set, nothing else is checked.
[[nodiscard]] Status parse_command_line(std::span<char* const> arguments,
                                        std::span<const Command> commands, CommandLine& line);

}  // namespace dualstream::command
