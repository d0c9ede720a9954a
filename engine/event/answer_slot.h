// Answers collects the outcomes that one publish_and_wait() call waits for.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/time.h"
#include "dualstream/outcome.h"

namespace dualstream::event {

// Thread:   give() on the Kafka worker, the rest on the waiting caller's.
// Lifetime: shared by the caller and its events, because a caller that gives up goes before they
// do.
class Answers {
 public:
  explicit Answers(std::size_t count) : answers_(count), unanswered_(count) {}

  // The caller's own answer to an event that was refused.
  void refuse(std::size_t index, PublishResult refusal, std::uint64_t tag);

  // False when the caller has given up: the outcome has to go to on_outcomes instead.
  [[nodiscard]] bool give(std::size_t index, const Outcome& outcome);

  // Waits for every answer or `deadline`, then copies what there is: the rest stay `pending` and
  // can no longer be given.
  void wait_until(base::TimePoint deadline, std::span<Outcome> outcomes);

 private:
  std::mutex mutex_;
  std::condition_variable all_answered_;
  // Guarded by mutex_.
  std::vector<Outcome> answers_;
  std::size_t unanswered_;
  bool abandoned_ = false;
};

// Where an event's outcome goes when a caller waits for it.
struct AnswerSlot {
  std::shared_ptr<Answers> answers;
  std::size_t index = 0;
};

}  // namespace dualstream::event
