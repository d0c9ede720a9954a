// Metrics are the figures of a run that have a name: in --require, in the JSON and in comparisons.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "load_report.h"

namespace dualstream::command {

enum class MetricUnit : std::uint8_t {
  duration,  // Nanoseconds here, milliseconds in the JSON.
  rate,      // A second.
  bytes,
  count,
};

// What has to be asked for so that a metric has a value.
enum class MetricNeed : std::uint8_t { nothing, redis, subscribe, verify };

struct MetricInfo {
  std::string name;  // "ack.p99.9"
  MetricUnit unit = MetricUnit::count;
  MetricNeed need = MetricNeed::nothing;
  std::string help;
};

// All of them, in the order of every list.
[[nodiscard]] std::vector<MetricInfo> metric_infos();

// The values in that order; nothing where nothing was measured.
[[nodiscard]] std::vector<std::optional<double>> metric_values(const LoadReport& report);

// "12.3 ms", "9,998 /s", "1.2 MB", "17".
[[nodiscard]] std::string metric_text(MetricUnit unit, double value);

// The latencies' shares and the names they have: {"p99.9", 0.999}.
struct NamedShare {
  std::string_view name;
  double share;
};
inline constexpr NamedShare kShares[] = {{"p50", 0.5},  {"p90", 0.9},     {"p95", 0.95},
                                         {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}};

// A clock's histogram and its name. The fourth is not a clock: how late the generator was.
struct NamedClock {
  std::string_view name;
  std::string_view title;
  const Histogram* histogram;
};
[[nodiscard]] std::vector<NamedClock> clocks_of(const LoadReport& report);

}  // namespace dualstream::command
