// The manual pages, in the language of man(7), made from the same table and texts as --help.
#pragma once

#include <span>
#include <string>

#include "commands.h"

namespace dualstream::command {

// dualstream(1): every command with its options.
[[nodiscard]] std::string program_page(std::span<const Command> commands);

// dualstream-NAME(1).
[[nodiscard]] std::string command_page(const Command& command);

}  // namespace dualstream::command
