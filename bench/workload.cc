#include "workload.h"

#include <sys/resource.h>

#include <random>

namespace dualstream::bench {

Workload::Workload(std::size_t events, std::size_t payload_bytes, std::size_t sources)
    : payload_bytes_(payload_bytes), payloads_(payload_count_ * payload_bytes, 'x') {
  std::vector<double> weights;
  for (std::size_t rank = 1; rank <= sources; ++rank) {
    source_ids_.push_back("owner/repo-" + std::to_string(10'000 + rank));
    weights.push_back(1.0 / static_cast<double>(rank));
  }
  std::mt19937 random{1};
  std::discrete_distribution<std::uint32_t> zipf{weights.begin(), weights.end()};
  source_of_.reserve(events);
  ids_.reserve(events * kIdBytes);
  for (std::size_t i = 0; i < events; ++i) {
    source_of_.push_back(zipf(random));
    const std::string digits = std::to_string(1'000'000'000 + i);
    ids_ += digits;
  }
}

double process_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace dualstream::bench
