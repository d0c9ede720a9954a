// Outcomes takes what becomes of the events: it counts, reports failures and saves failed events.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "checkpoint.h"
#include "dualstream/outcome.h"
#include "limited_report.h"
#include "line_place.h"
#include "output_file.h"
#include "stop_request.h"

namespace dualstream::command {

// Thread:   take() on the Kafka worker's; the others on any.
// Lifetime: what it is given outlives it, and it outlives the engine.
class Outcomes {
 public:
  using Clock = std::chrono::steady_clock;

  // `dead_letters` takes the failed events, or nothing does. `checkpoint`, if there is one, is told
  // of each event that is done with. An event that failed because the run stops, or that nothing
  // takes, is not: the next run publishes it again, and this one stops.
  Outcomes(const std::vector<std::string>& inputs, OutputFile* dead_letters, Console& console,
           StopRequest& stop, Checkpoint* checkpoint = nullptr)
      : inputs_(inputs),
        dead_letters_(dead_letters),
        checkpoint_(checkpoint),
        stop_(stop),
        report_(console, "failures") {}

  void take(std::span<const Outcome> outcomes) noexcept;

  // Waits until `count` events have their outcome, or a stop is requested, or a moment has passed:
  // whichever comes first. True for the first.
  [[nodiscard]] bool wait_for(std::uint64_t count) const;

  // Failed events that no dead-letter file holds.
  [[nodiscard]] std::uint64_t unsaved() const noexcept { return unsaved_.load(); }

  // Since the clock's start; 0 if nothing was delivered.
  [[nodiscard]] Clock::time_point last_delivery() const noexcept {
    return Clock::time_point{Clock::duration{last_delivery_.load()}};
  }

  [[nodiscard]] ReasonCounts failures() const { return report_.by_reason(); }
  void summarize() { report_.summarize(); }

 private:
  void take_failed(std::span<const Outcome> outcomes);
  void settle(std::span<const Outcome> outcomes);
  [[nodiscard]] bool left_for_next_run(const Outcome& outcome) const;
  void save(const std::string& lines, std::uint64_t count);

  const std::vector<std::string>& inputs_;
  OutputFile* const dead_letters_;
  Checkpoint* const checkpoint_;
  StopRequest& stop_;
  LimitedReport report_;
  std::atomic<std::uint64_t> unsaved_{0};
  std::atomic<Clock::rep> last_delivery_{0};

  // The Kafka worker's.
  std::vector<LinePlace> settled_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  mutable std::condition_variable answered_;
  std::uint64_t answers_ = 0;
};

}  // namespace dualstream::command
