// nearest() finds the name that somebody probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dualstream::command {

// The name of `known` that takes the fewest insertions, deletions, replacements and swaps of
// neighbours from `text`; nothing when even that one is too far off to be meant.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view text,
                                                      std::span<const std::string> known);

// "; did you mean `brokers`?", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view text, std::span<const std::string> known);

}  // namespace dualstream::command
