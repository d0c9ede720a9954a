// The Prometheus text format of an Engine's stats; docs/metrics.md lists the names.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dualstream/export.h"
#include "dualstream/health.h"
#include "dualstream/stats.h"

namespace dualstream {

enum class MetricType : std::uint8_t { counter, gauge, histogram };

[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(MetricType type) noexcept;

// A metric family: what stands above its samples. Counters that differ by their reason only share
// one.
struct MetricFamily {
  std::string_view name;
  MetricType type;
  std::string_view help;  // One line.
};

// All families, in the order in which prometheus_text() writes them.
[[nodiscard]] DUALSTREAM_EXPORT std::span<const MetricFamily> metric_families() noexcept;

// Everything in `stats`, and in `health` as 0 or 1, in the text format version 0.0.4, whose content
// type is kPrometheusContentType. Each line ends with a newline. May throw std::bad_alloc.
[[nodiscard]] DUALSTREAM_EXPORT std::string prometheus_text(const Stats& stats);
[[nodiscard]] DUALSTREAM_EXPORT std::string prometheus_text(const Stats& stats,
                                                            const Health& health);

inline constexpr std::string_view kPrometheusContentType =
    "text/plain; version=0.0.4; charset=utf-8";

}  // namespace dualstream
