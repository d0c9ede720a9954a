// config_text() is what --print-config prints: every option, its value and where that comes from.
#pragma once

#include <string>

#include "commands.h"
#include "resolve.h"

namespace dualstream::command {

// A config file that sets the same, but for secrets, which are only said to be set.
[[nodiscard]] std::string config_text(const Command& command, const Configuration& configuration);

}  // namespace dualstream::command
