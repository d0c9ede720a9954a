// Durations, sizes and counts as people write and read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dualstream::command {

// A whole number with its unit, "250ms", "5s", "2m" or "1h", or just "0".
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// In the largest unit that leaves a whole number.
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

// A whole number of bytes, alone or with B, KB, MB, GB (thousands) or KiB, MiB, GiB (1,024s), in
// either case.
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view text);

// Exact: in KiB, MiB or GiB where that leaves a whole number, else in bytes.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

// Rounded, for people: "2.1 MB".
[[nodiscard]] std::string about_bytes_text(double bytes);

// Digits only.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

// A number of 0 or more, with or without a point: "10", "0.8". No exponent.
[[nodiscard]] std::optional<double> parse_decimal(std::string_view text);

// As parse_decimal() reads it, in the fewest digits that give the same number.
[[nodiscard]] std::string decimal_text(double number);

// With a comma between thousands: "1,022".
[[nodiscard]] std::string grouped(std::uint64_t count);

}  // namespace dualstream::command
