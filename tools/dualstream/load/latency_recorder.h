// LatencyRecorder holds one of the three clocks: its histogram, and how it went over time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "histogram.h"
#include "time_series.h"

namespace dualstream::command {

// What came in an interval. The histogram is made when it is first needed: a value.
struct LatencyCell {
  std::uint64_t events = 0;  // Those of the warm-up too.
  Histogram latency{Histogram::kCoarse};

  void merge(const LatencyCell& other) {
    events += other.events;
    latency.merge(other.latency);
  }
  void clear() {
    events = 0;
    latency.clear();
  }
};

// Thread: one; read when it has ended.
class LatencyRecorder {
 public:
  using Duration = std::chrono::nanoseconds;

  // What was meant to be sent before the end of the warm-up is counted, and not measured.
  explicit LatencyRecorder(Duration warmup = Duration{0}) : warmup_(warmup) {}

  void record(Duration meant_at, Duration now) {
    LatencyCell& cell = over_time_.at(now);
    ++cell.events;
    if (meant_at < warmup_) return;
    const auto latency =
        static_cast<std::uint64_t>(std::max<Duration>(now - meant_at, Duration{0}).count());
    cell.latency.record(latency);
    histogram_.record(latency);
    last_ = now;
  }

  [[nodiscard]] const Histogram& histogram() const noexcept { return histogram_; }
  [[nodiscard]] const TimeSeries<LatencyCell>& over_time() const noexcept { return over_time_; }
  // When the last measured one came; 0 if none did.
  [[nodiscard]] Duration last() const noexcept { return last_; }

 private:
  Duration warmup_;
  Histogram histogram_;
  TimeSeries<LatencyCell> over_time_;
  Duration last_{0};
};

}  // namespace dualstream::command
