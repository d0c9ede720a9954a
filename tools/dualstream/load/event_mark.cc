#include "event_mark.h"

namespace dualstream::command {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

constexpr std::uint64_t kIndexMask = kIndexCount - 1;
constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << (64 - kIndexBits)) - 1;
constexpr std::string_view kDigits = "0123456789abcdef";

std::uint64_t micros(nanoseconds time) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<microseconds>(time).count());
}

}  // namespace

std::uint64_t tag_of(const EventMark& mark) noexcept {
  return (micros(mark.since_start) & kTimeMask) << kIndexBits | (mark.index & kIndexMask);
}

EventMark mark_of(std::uint64_t tag, nanoseconds now) noexcept {
  const std::uint64_t now_us = micros(now);
  const std::uint64_t ago = (now_us - (tag >> kIndexBits)) & kTimeMask;
  return {.since_start = microseconds{static_cast<std::int64_t>(now_us - ago)},
          .index = static_cast<std::uint32_t>(tag & kIndexMask)};
}

void write_hex(char* into, std::uint64_t value, std::size_t digits) noexcept {
  for (std::size_t at = digits; at > 0; --at) {
    into[at - 1] = kDigits[value & 15U];
    value >>= 4U;
  }
}

std::optional<std::uint64_t> read_hex(std::string_view digits) noexcept {
  std::uint64_t value = 0;
  for (const char digit : digits) {
    const std::size_t at = kDigits.find(digit);
    if (at == std::string_view::npos) return std::nullopt;
    value = value << 4U | at;
  }
  return value;
}

MarkId id_of(std::uint32_t run, std::uint64_t tag) noexcept {
  MarkId id{};
  write_hex(id.data(), run, kRunDigits);
  write_hex(id.data() + kRunDigits, tag, kMarkIdBytes - kRunDigits);
  return id;
}

std::optional<std::uint64_t> tag_in(std::string_view id, std::uint32_t run) noexcept {
  if (id.size() != kMarkIdBytes || read_hex(id.substr(0, kRunDigits)) != run) return std::nullopt;
  return read_hex(id.substr(kRunDigits));
}

}  // namespace dualstream::command
