#include "schedule.h"

#include <algorithm>
#include <cmath>

namespace dualstream::command {

Schedule::Schedule(const ScheduleOptions& options)
    : rate_(options.rate / 1e9),
      ramp_(static_cast<double>(options.ramp.count())),
      ramp_events_(rate_ * ramp_ / 2),
      phase_(options.phase) {}

std::chrono::nanoseconds Schedule::at(std::uint64_t index) const {
  const double sent = static_cast<double>(index) + phase_;
  // While the rate grows, rate * t^2 / (2 * ramp) events are sent by t.
  const double moment = sent < ramp_events_ ? std::sqrt(2 * ramp_ * sent / rate_)
                                            : ramp_ + (sent - ramp_events_) / rate_;
  // Rounded, not cut off: a whole number of seconds must not become a nanosecond less.
  return std::chrono::nanoseconds{std::llround(moment)};
}

std::uint64_t Schedule::count_before(std::chrono::nanoseconds moment) const {
  const auto t = static_cast<double>(moment.count());
  if (t <= 0) return 0;
  const double sent = t < ramp_ ? rate_ * t * t / (2 * ramp_) : ramp_events_ + (t - ramp_) * rate_;
  auto count = static_cast<std::uint64_t>(std::max(0.0, std::ceil(sent - phase_)));
  // at() rounds to nanoseconds, which may move the last one over the edge.
  while (count > 0 && at(count - 1) >= moment) --count;
  while (at(count) < moment) ++count;
  return count;
}

}  // namespace dualstream::command
