// Sender is one publishing thread of a run: it makes events and publishes each at its time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dualstream/publisher.h"
#include "event_mark.h"
#include "histogram.h"
#include "in_flight_limit.h"
#include "payloads.h"
#include "run_clock.h"
#include "schedule.h"
#include "source_mix.h"
#include "stop_request.h"
#include "time_series.h"

namespace dualstream::command {

// An event that is sent later than this was sent late; a thread that sleeps wakes up to 0.1 ms late
// on any machine, and a busy one a little more.
inline constexpr std::chrono::milliseconds kLate{5};

// Where a sender's events go: Publisher, or a test's own.
class EventTaker {
 public:
  virtual ~EventTaker() = default;
  virtual PublishResult take(const EventView& event, std::chrono::milliseconds timeout) = 0;
  [[nodiscard]] virtual std::string_view refusal_reason() const = 0;
};

struct SenderOptions {
  std::uint32_t run = 0;
  std::uint64_t seed = 1;
  std::size_t thread = 0;
  std::size_t threads = 1;
  // Nothing: as fast as it goes.
  std::optional<Schedule> schedule;
  std::chrono::nanoseconds warmup{0};
  // The end, since the start of the run; and how many are measured. Whichever comes first.
  std::chrono::nanoseconds end = std::chrono::nanoseconds::max();
  std::uint64_t measured_max = UINT64_MAX;
  // How many are sent in all.
  std::uint64_t sent_max = UINT64_MAX;
};

struct SentCell {
  std::uint64_t meant = 0;  // By the schedule.
  std::uint64_t sent = 0;
  std::chrono::nanoseconds lag_max{0};

  void merge(const SentCell& other) {
    meant += other.meant;
    sent += other.sent;
    lag_max = std::max(lag_max, other.lag_max);
  }
  void clear() { *this = {}; }
};

// What a sender did. The histograms and `measured` leave the warm-up out.
struct Sent {
  std::uint64_t accepted = 0;
  std::uint64_t measured = 0;
  std::uint64_t bytes = 0;        // Payloads of those measured.
  std::uint64_t refused = 0;      // Not for want of room: too large, say.
  std::string refusal;            // Why the first one was.
  std::uint64_t waits = 0;        // Calls that found no room and had to wait.
  Histogram publish;              // What publish() took, waiting for room included.
  Histogram lag;                  // How much later than meant publish() was called.
  std::uint64_t late_engine = 0;  // Later than kLate, after a wait for room.
  std::uint64_t late_self = 0;    // Later than kLate, and the engine had taken everything at once.
  std::uint64_t unsent = 0;       // Meant to be sent before the end, and not sent.
  TimeSeries<SentCell> over_time;

  void merge(const Sent& other);
};

// Thread:   run() on its own, sent() and lag() on any.
// Lifetime: what it is given outlives it.
class Sender {
 public:
  Sender(const SenderOptions& options, const SourceShare& share, const Payloads& payloads,
         const RunClock& clock, StopRequest& stop, InFlightLimit* limit);

  void run(EventTaker& taker);

  // While it runs.
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_.load(); }
  [[nodiscard]] std::chrono::nanoseconds lag() const noexcept {
    return std::chrono::nanoseconds{lag_.load()};
  }

  // When it has ended.
  [[nodiscard]] const Sent& sent() const noexcept { return sent_; }

 private:
  using Duration = std::chrono::nanoseconds;

  [[nodiscard]] std::optional<Duration> wait_for_turn(std::uint64_t number);
  [[nodiscard]] bool over(Duration now) const;
  bool send(EventTaker& taker, std::uint64_t number, Duration meant_at);
  void account(Duration meant_at, Duration called_at, Duration ended_at, std::size_t bytes,
               bool waited);
  void count_unsent(std::uint64_t number);

  const SenderOptions options_;
  const Payloads& payloads_;
  const RunClock& clock_;
  StopRequest& stop_;
  InFlightLimit* const limit_;

  SourcePicker picker_;
  std::string payload_;
  std::string source_id_;
  std::size_t next_payload_;
  // A wait for room made this thread late, and it has not caught up yet.
  bool held_back_ = false;
  Sent sent_;

  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<Duration::rep> lag_{0};
};

}  // namespace dualstream::command
