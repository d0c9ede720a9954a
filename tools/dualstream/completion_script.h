// The scripts by which a shell completes the command's words, made from its commands and options.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "commands.h"

namespace dualstream::command {

// Nothing for a shell other than bash, zsh and fish.
[[nodiscard]] std::optional<std::string> completion_script(std::string_view shell,
                                                           std::span<const Command> commands);

}  // namespace dualstream::command
