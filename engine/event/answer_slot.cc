#include "event/answer_slot.h"

#include <algorithm>

namespace dualstream::event {

void Answers::refuse(std::size_t index, PublishResult refusal, std::uint64_t tag) {
  const std::lock_guard lock{mutex_};
  answers_[index] = Outcome{.kind = OutcomeKind::refused, .refusal = refusal, .tag = tag};
  unanswered_ -= 1;
}

bool Answers::give(std::size_t index, const Outcome& outcome) {
  const std::lock_guard lock{mutex_};
  if (abandoned_) return false;
  answers_[index] = outcome;
  answers_[index].event = {};  // Its bytes go with the engine's copy; the caller has its own.
  unanswered_ -= 1;
  if (unanswered_ == 0) all_answered_.notify_one();
  return true;
}

void Answers::wait_until(base::TimePoint deadline, std::span<Outcome> outcomes) {
  std::unique_lock lock{mutex_};
  all_answered_.wait_until(lock, deadline, [this] { return unanswered_ == 0; });
  abandoned_ = true;
  std::copy(answers_.begin(), answers_.end(), outcomes.begin());
}

}  // namespace dualstream::event
