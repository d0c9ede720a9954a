// EngineRun is an Engine under load with everything that a test wants to know afterwards: each
// outcome, each log line, and whether the topic holds exactly what was promised.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "dualstream/engine.h"
#include "dualstream/publisher.h"
#include "support/verifying_events.h"

namespace dualstream::testing {

struct Load {
  std::size_t threads = 2;
  std::size_t events = 20'000;
  std::size_t sources = 500;
  // How long a publish() may wait for room. 0 does not wait, and counts the refusal.
  std::chrono::milliseconds patience{30'000};
};

struct LoadResult {
  std::size_t accepted = 0;
  std::size_t full = 0;
  std::size_t refused = 0;  // For any other reason.
  std::chrono::nanoseconds slowest_publish{0};
};

// Thread: one test thread; the load's threads are its own and end before publish() returns.
class EngineRun {
 public:
  // A topic name and a broker that every test of this file shares, with the rest as the engine's
  // own defaults.
  [[nodiscard]] static Options options(const std::string& brokers, const std::string& topic,
                                       const std::string& redis_address = {});

  // Calls options.on_outcomes after it has taken the outcomes itself. Throws std::runtime_error
  // when the engine does not open.
  explicit EngineRun(Options options, VerifyingEventsOptions events = {});
  EngineRun(const EngineRun&) = delete;
  EngineRun& operator=(const EngineRun&) = delete;
  ~EngineRun();

  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] Stats stats() const { return engine_->stats(); }

  // Publishes the next `load.events` events, spread evenly over the sources. A source is always
  // published by one Publisher, from call to call as long as `load.threads` stays the same: order
  // between two Publishers is not promised.
  LoadResult publish(const Load& load);

  // Waits until every accepted event has its outcome.
  [[nodiscard]] bool drained_within(std::chrono::milliseconds timeout) const;

  // Stops, and checks that the outcomes that were given and the counters say the same. This, and
  // what a topic is found to hold, is recorded with the test, for tools/faults.
  Status stop(std::chrono::milliseconds deadline = std::chrono::seconds{60});

  // Reads the topic back and compares it with every outcome that was given.
  [[nodiscard]] CheckReport check_topic() const;
  // The same through another listener.
  [[nodiscard]] CheckReport check_topic(const std::string& brokers) const;
  // The same for a topic that was read already.
  [[nodiscard]] CheckReport check_topic(const std::vector<Record>& records) const;

  [[nodiscard]] std::vector<std::string> log_lines() const;
  [[nodiscard]] std::size_t log_lines_with(std::string_view text) const;
  // Failed outcomes by reason, and any outcome by kind.
  [[nodiscard]] std::size_t failed(Failure failure) const;
  [[nodiscard]] std::size_t outcomes() const;

 private:
  void take_outcomes(std::span<const Outcome> outcomes);

  const Options options_;
  const VerifyingEvents events_;
  std::vector<std::uint64_t> next_sequence_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  EventsChecker checker_;
  std::vector<std::size_t> failed_;
  std::map<std::string, std::size_t> reasons_;  // Why events failed; stop() prints them.
  std::size_t outcomes_ = 0;
  std::vector<std::string> log_lines_;

  bool recorded_ = false;  // What stop() found.
  std::unique_ptr<Engine> engine_;
  std::vector<Publisher> publishers_;  // One for each thread of the load.
};

}  // namespace dualstream::testing
