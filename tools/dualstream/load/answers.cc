#include "answers.h"

#include "event_mark.h"

namespace dualstream::command {

void Answers::take(std::span<const Outcome> outcomes) {
  const std::chrono::nanoseconds now = clock_.now();
  for (const Outcome& outcome : outcomes) {
    if (outcome.kind != OutcomeKind::delivered) {
      ++failures_[static_cast<std::size_t>(outcome.failure)];
      if (first_failure_.empty()) {
        first_failure_ = outcome.detail.empty() ? name(outcome.failure) : outcome.detail;
      }
      continue;
    }
    const EventMark mark = mark_of(outcome.tag, now);
    latency_.record(mark.since_start, now);
    if (options_.remember) acknowledged_.set(mark.index);
  }
  count_.fetch_add(outcomes.size());
  if (options_.limit != nullptr) options_.limit->release(outcomes.size());
}

std::vector<std::pair<std::string, std::uint64_t>> Answers::failures() const {
  std::vector<std::pair<std::string, std::uint64_t>> found;
  for (std::size_t at = 0; at < kFailures; ++at) {
    if (failures_[at] > 0) found.emplace_back(name(static_cast<Failure>(at)), failures_[at]);
  }
  return found;
}

}  // namespace dualstream::command
