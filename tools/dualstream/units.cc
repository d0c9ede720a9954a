#include "units.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>

namespace dualstream::command {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 4> kDurationUnits{{
    {"h", 3'600'000},
    {"m", 60'000},
    {"s", 1'000},
    {"ms", 1},
}};

constexpr std::array<Unit, 8> kSizeUnits{{
    {"GiB", 1ULL << 30},
    {"MiB", 1ULL << 20},
    {"KiB", 1ULL << 10},
    {"GB", 1'000'000'000},
    {"MB", 1'000'000},
    {"KB", 1'000},
    {"B", 1},
    {"", 1},
}};

bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

std::optional<std::uint64_t> times(std::uint64_t number, std::uint64_t factor) {
  if (number > std::numeric_limits<std::uint64_t>::max() / factor) return std::nullopt;
  return number * factor;
}

// The number at the front of `text`; what follows it is left in `text`.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const std::optional<std::uint64_t> number = take_number(text);
  if (!number) return std::nullopt;
  if (text.empty() && *number == 0) return std::chrono::milliseconds{0};
  for (const Unit& unit : kDurationUnits) {
    if (text != unit.name) continue;
    const std::optional<std::uint64_t> ms = times(*number, unit.factor);
    // A century keeps sums of durations and times far from their end.
    if (!ms || *ms > 100ULL * 365 * 24 * 3'600'000) return std::nullopt;
    return std::chrono::milliseconds{static_cast<std::int64_t>(*ms)};
  }
  return std::nullopt;
}

std::string duration_text(std::chrono::milliseconds duration) {
  const auto ms = static_cast<std::uint64_t>(duration.count());
  for (const Unit& unit : kDurationUnits) {
    if (ms != 0 && ms % unit.factor == 0) {
      return std::to_string(ms / unit.factor).append(unit.name);
    }
  }
  return std::to_string(ms) + "ms";
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  const std::optional<std::uint64_t> number = take_number(text);
  if (!number) return std::nullopt;
  for (const Unit& unit : kSizeUnits) {
    if (same_but_for_case(text, unit.name)) return times(*number, unit.factor);
  }
  return std::nullopt;
}

std::string bytes_text(std::uint64_t bytes) {
  for (const Unit& unit : kSizeUnits) {
    if (unit.name.size() == 3 && bytes != 0 && bytes % unit.factor == 0) {
      return std::to_string(bytes / unit.factor).append(unit.name);
    }
  }
  return std::to_string(bytes);
}

std::string about_bytes_text(double bytes) {
  static constexpr std::array<const char*, 5> kNames{"B", "kB", "MB", "GB", "TB"};
  std::size_t step = 0;
  // 999.95 would be rounded to 1000.0.
  while (bytes >= 999.95 && step + 1 < kNames.size()) {
    bytes /= 1'000;
    ++step;
  }
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), step == 0 ? "%.0f %s" : "%.1f %s", bytes, kNames[step]);
  return text.data();
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  const std::optional<std::uint64_t> number = take_number(text);
  return text.empty() ? number : std::nullopt;
}

std::optional<double> parse_decimal(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  // from_chars() takes a sign, and words for what is no number.
  if (error != std::errc{} || stop != end || !(number >= 0) || number > 1e300 ||
      text.find_first_not_of("0123456789.") != std::string_view::npos) {
    return std::nullopt;
  }
  return number;
}

std::string decimal_text(double number) {
  std::array<char, 400> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  return {text.data(), end};
}

std::string grouped(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

}  // namespace dualstream::command
