// Which values must not be shown, nor be given where other users could see them.
#pragma once

#include <string>
#include <string_view>

#include "option_table.h"

namespace dualstream::command {

inline constexpr std::string_view kRedacted = "***";

// Whether a value of the option, as show() gives it, is or holds a secret.
[[nodiscard]] bool holds_secret(const OptionInfo& option, std::string_view value);

// The value with its secret part replaced; unchanged if it has none.
[[nodiscard]] std::string redacted(const OptionInfo& option, std::string_view value);

}  // namespace dualstream::command
