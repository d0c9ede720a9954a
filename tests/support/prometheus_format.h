// A strict reader of Prometheus' text exposition format, version 0.0.4.
#pragma once

#include <string>
#include <string_view>

namespace dualstream::testing {

// Empty, or "line N: what is wrong". Beyond the format's grammar it asks for what a scraper needs
// to be able to trust: every sample under the help and the type of its family, no family and no
// sample twice, counters in whole numbers that end in _total, and histograms whose buckets rise to
// a +Inf that is their count.
[[nodiscard]] std::string prometheus_format_error(std::string_view text);

}  // namespace dualstream::testing
