#include "moment.h"

#include <limits>

#include "units.h"

namespace dualstream::command {
namespace {

// Takes a number of exactly `digits` off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  const std::optional<std::uint64_t> number = parse_count(text.substr(0, digits));
  if (!number) return std::nullopt;
  text.remove_prefix(digits);
  return static_cast<int>(*number);
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<std::chrono::system_clock::time_point> parse_moment(
    std::string_view text, std::chrono::system_clock::time_point now) {
  using std::chrono::system_clock;
  if (const auto before = parse_duration(text)) return now - *before;
  if (text.ends_with('Z')) text.remove_suffix(1);
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  system_clock::time_point moment = std::chrono::sys_days{date};
  if (text.empty()) return moment;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23 || !take(text, ':')) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  moment += std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
  if (text.empty()) return moment;
  if (!take(text, ':')) return std::nullopt;
  const auto seconds = take_number(text, 2);
  if (!seconds || *seconds > 59) return std::nullopt;
  moment += std::chrono::seconds{*seconds};
  if (text.empty()) return moment;
  if (!take(text, '.')) return std::nullopt;
  const auto ms = take_number(text, 3);
  if (!ms || !text.empty()) return std::nullopt;
  return moment + std::chrono::milliseconds{*ms};
}

std::optional<std::pair<std::int32_t, std::int64_t>> parse_place(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint64_t> partition = parse_count(text.substr(0, colon));
  const std::optional<std::uint64_t> offset = parse_count(text.substr(colon + 1));
  if (!partition || !offset) return std::nullopt;
  if (*partition > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()) ||
      *offset > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  return std::pair{static_cast<std::int32_t>(*partition), static_cast<std::int64_t>(*offset)};
}

}  // namespace dualstream::command
