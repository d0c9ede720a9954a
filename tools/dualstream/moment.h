// Points in a topic as people write them: a time, or an offset of a partition.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace dualstream::command {

// "10m" and the like: so long before `now`. "2026-01-31", "2026-01-31T12:00", "...:00:30" and
// "...:30.250", with or without a Z: that time, in UTC.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> parse_moment(
    std::string_view text, std::chrono::system_clock::time_point now);

// "3:1201": partition 3, offset 1201.
[[nodiscard]] std::optional<std::pair<std::int32_t, std::int64_t>> parse_place(
    std::string_view text);

}  // namespace dualstream::command
