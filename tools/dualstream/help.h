// The texts of --help, and the table of docs/options.md, both made from the table of options.
#pragma once

#include <span>
#include <string>

#include "commands.h"

namespace dualstream::command {

[[nodiscard]] std::string program_help(std::span<const Command> commands);

[[nodiscard]] std::string command_help(const Command& command);

// The rows of docs/options.md, one table a group; a test holds the file against it.
[[nodiscard]] std::string options_markdown();

}  // namespace dualstream::command
