// Answers takes Kafka's answers to the events of a run: the second clock, and what is in Kafka.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bitmap.h"
#include "dualstream/outcome.h"
#include "in_flight_limit.h"
#include "latency_recorder.h"
#include "run_clock.h"

namespace dualstream::command {

struct AnswersOptions {
  std::chrono::nanoseconds warmup{0};
  bool remember = false;           // Which events were acknowledged, for --verify.
  InFlightLimit* limit = nullptr;  // Of a closed loop.
};

// Thread:   take() on the Kafka worker's, counts on any; the rest when the engine has stopped.
// Lifetime: outlives the engine.
class Answers {
 public:
  // `clock` as it is when the first event is sent.
  Answers(const AnswersOptions& options, const RunClock& clock)
      : options_(options), clock_(clock), latency_(options.warmup) {}

  void take(std::span<const Outcome> outcomes);

  [[nodiscard]] std::uint64_t count() const noexcept { return count_.load(); }

  [[nodiscard]] const LatencyRecorder& latency() const noexcept { return latency_; }
  [[nodiscard]] const Bitmap& acknowledged() const noexcept { return acknowledged_; }
  // By reason, those that did not occur left out.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> failures() const;
  // Kafka's words for the first failure, or nothing.
  [[nodiscard]] const std::string& first_failure() const noexcept { return first_failure_; }

 private:
  static constexpr std::size_t kFailures = static_cast<std::size_t>(Failure::stopped) + 1;

  const AnswersOptions options_;
  const RunClock& clock_;

  std::atomic<std::uint64_t> count_{0};
  LatencyRecorder latency_;
  Bitmap acknowledged_;
  std::array<std::uint64_t, kFailures> failures_{};
  std::string first_failure_;
};

}  // namespace dualstream::command
