// EventMark is what tells an event of a run from all others, and when it was meant to be sent.
//
// It travels in two shapes, so that nothing has to be remembered for an event under way:
//
//   tag  64 bits: | time, 34 bits of microseconds since the start | index, 30 bits |
//        in EventView::tag, which comes back in the Outcome
//   id   24 characters: run, 8 hex digits, and the tag, 16; it comes back in the notification
//
// The time wraps after 4.7 hours; it is read back by who knows what time it is now.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dualstream::command {

inline constexpr unsigned kIndexBits = 30;
// The events of a run that --verify can tell apart.
inline constexpr std::uint64_t kIndexCount = std::uint64_t{1} << kIndexBits;

struct EventMark {
  std::chrono::nanoseconds since_start{0};  // Whole microseconds.
  std::uint32_t index = 0;                  // Of the run, below kIndexCount.
};

[[nodiscard]] std::uint64_t tag_of(const EventMark& mark) noexcept;

// `now` is at most 4.7 hours after the mark's time.
[[nodiscard]] EventMark mark_of(std::uint64_t tag, std::chrono::nanoseconds now) noexcept;

inline constexpr std::size_t kRunDigits = 8;
inline constexpr std::size_t kMarkIdBytes = kRunDigits + 16;
using MarkId = std::array<char, kMarkIdBytes>;

[[nodiscard]] MarkId id_of(std::uint32_t run, std::uint64_t tag) noexcept;

// The tag of an id of this run; nothing for any other text.
[[nodiscard]] std::optional<std::uint64_t> tag_in(std::string_view id, std::uint32_t run) noexcept;

// ---- Hex digits, always as many

void write_hex(char* into, std::uint64_t value, std::size_t digits) noexcept;
[[nodiscard]] std::optional<std::uint64_t> read_hex(std::string_view digits) noexcept;

}  // namespace dualstream::command
