// Schedule says when each event of a thread is meant to be sent: the open loop.
//
// What happens to the events before does not move it, so an event that comes late because the
// system was slow is counted as late (no coordinated omission). Pure: no clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace dualstream::command {

struct ScheduleOptions {
  double rate = 1;  // Events a second; above 0.
  // The rate grows evenly from 0 to `rate` over so long.
  std::chrono::nanoseconds ramp{0};
  // 0 to 1: the share of an event's spacing that all are moved by, so that threads do not send in
  // step.
  double phase = 0;
};

// A value.
class Schedule {
 public:
  explicit Schedule(const ScheduleOptions& options);

  // When the event of this number, from 0, is meant to be sent, since the start of the run.
  [[nodiscard]] std::chrono::nanoseconds at(std::uint64_t index) const;

  // How many are meant to be sent before that moment: at(i) < moment for just these.
  [[nodiscard]] std::uint64_t count_before(std::chrono::nanoseconds moment) const;

 private:
  double rate_;         // Events a nanosecond.
  double ramp_;         // Nanoseconds.
  double ramp_events_;  // Sent by the end of the ramp.
  double phase_;
};

}  // namespace dualstream::command
