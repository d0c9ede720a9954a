// UpdatesCheck takes what a subscription receives and says what is wrong with it: repeats, wrong
// order, events left out in silence, payloads that are not the event's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "dualstream/subscriber.h"
#include "support/topic_reader.h"
#include "support/verifying_events.h"

namespace dualstream::testing {

struct UpdatesReport {
  std::size_t received = 0;
  std::size_t live = 0;
  std::size_t repeated = 0;
  std::size_t out_of_order = 0;
  std::size_t missing = 0;  // In the topic, wanted, not received and not told as a gap.
  std::size_t corrupt = 0;  // A payload that is not the event's.
  std::size_t gaps = 0;     // Updates of kind gap.
  std::string text;         // The first that is wrong.

  [[nodiscard]] bool ok() const { return repeated + out_of_order + missing + corrupt == 0; }
};

// Receives on a thread of its own for as long as it lives.
//
// Lifetime: the subscription outlives it.
class UpdatesCheck {
 public:
  explicit UpdatesCheck(Subscription& subscription);
  UpdatesCheck(const UpdatesCheck&) = delete;
  UpdatesCheck& operator=(const UpdatesCheck&) = delete;
  ~UpdatesCheck();

  // A reader that takes this long over each batch.
  void take_time(std::chrono::milliseconds pause) { pause_ms_ = pause.count(); }

  [[nodiscard]] std::size_t received() const;
  [[nodiscard]] std::size_t gaps() const;
  [[nodiscard]] std::vector<Update> updates() const;

  // Compares with the topic. Wanted are the records from `first` on in each partition (0 where it
  // is not named) whose source_id begins with `prefix`.
  [[nodiscard]] UpdatesReport check(const std::vector<Record>& records,
                                    const std::map<std::int32_t, std::int64_t>& first,
                                    const std::string& prefix, const VerifyingEvents& events,
                                    bool with_payload) const;

 private:
  Subscription& subscription_;
  std::atomic<bool> stop_{false};
  std::atomic<std::int64_t> pause_ms_{0};
  mutable std::mutex mutex_;
  std::vector<Update> updates_;  // Guarded by mutex_.
  std::size_t gaps_ = 0;         // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace dualstream::testing
