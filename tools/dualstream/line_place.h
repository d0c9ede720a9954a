// LinePlace is which line of which input an event came from; it travels through the engine as the
// event's tag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dualstream::command {

// As a tag:  | input, 24 bits | line, 40 bits |
struct LinePlace {
  std::size_t input = 0;
  std::uint64_t line = 0;
};

inline constexpr unsigned kLineBits = 40;
inline constexpr std::size_t kInputsMax = std::size_t{1} << (64 - kLineBits);

[[nodiscard]] constexpr std::uint64_t tag_of(LinePlace place) noexcept {
  return (static_cast<std::uint64_t>(place.input) << kLineBits) |
         (place.line & ((std::uint64_t{1} << kLineBits) - 1));
}

[[nodiscard]] constexpr LinePlace place_of(std::uint64_t tag) noexcept {
  return {.input = static_cast<std::size_t>(tag >> kLineBits),
          .line = tag & ((std::uint64_t{1} << kLineBits) - 1)};
}

// "stdin" for "-".
[[nodiscard]] inline std::string display_name(const std::string& input) {
  return input == "-" ? "stdin" : input;
}

// "FILE:LINE".
[[nodiscard]] inline std::string place_text(const std::vector<std::string>& inputs,
                                            LinePlace place) {
  return display_name(inputs[place.input]) + ":" + std::to_string(place.line);
}

}  // namespace dualstream::command
