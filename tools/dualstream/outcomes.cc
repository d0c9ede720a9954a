#include "outcomes.h"

#include <algorithm>

#include "dead_letter.h"
#include "line_place.h"

namespace dualstream::command {
namespace {

// So many bytes of dead letters are gathered for one write.
constexpr std::size_t kGatheredBytesMax = 1024 * 1024;

constexpr std::chrono::milliseconds kMoment{50};

bool is_failed(const Outcome& outcome) { return outcome.kind == OutcomeKind::failed; }

std::string failure_text(const Outcome& outcome) {
  std::string text = "not delivered: ";
  text.append(name(outcome.failure));
  if (outcome.persisted == Persisted::maybe) text.append(", but may be in Kafka");
  if (!outcome.detail.empty()) text.append(": ").append(outcome.detail);
  return text;
}

}  // namespace

void Outcomes::take(std::span<const Outcome> outcomes) noexcept {
  const auto failed = std::count_if(outcomes.begin(), outcomes.end(), is_failed);
  if (static_cast<std::size_t>(failed) < outcomes.size()) {
    last_delivery_.store(Clock::now().time_since_epoch().count());
  }
  if (failed > 0) {
    // Until they are saved; so an exception on the way leaves them counted.
    unsaved_.fetch_add(static_cast<std::uint64_t>(failed));
  }
  try {
    if (failed > 0) take_failed(outcomes);
    if (checkpoint_ != nullptr) settle(outcomes);
  } catch (...) {
    // Memory has run out. What was not saved is in unsaved_, and the run ends because of it.
    stop_.request(StopReason::output_failed);
  }
  {
    const std::lock_guard lock{mutex_};
    answers_ += outcomes.size();
  }
  answered_.notify_all();
}

bool Outcomes::wait_for(std::uint64_t count) const {
  std::unique_lock lock{mutex_};
  return answered_.wait_for(lock, kMoment, [this, count] {
    return answers_ >= count || stop_.requested();
  }) && answers_ >= count;
}

void Outcomes::take_failed(std::span<const Outcome> outcomes) {
  std::string lines;
  std::uint64_t count = 0;
  for (const Outcome& outcome : outcomes) {
    if (!is_failed(outcome)) continue;
    const LinePlace place = place_of(outcome.tag);
    if (dead_letters_ != nullptr && !left_for_next_run(outcome)) {
      append_dead_letter(lines, outcome, display_name(inputs_[place.input]), place.line);
      count += 1;
    }
    report_.add(place_text(inputs_, place) + ": " + failure_text(outcome), name(outcome.failure));
    if (lines.size() >= kGatheredBytesMax) {
      save(lines, count);
      lines.clear();
      count = 0;
    }
  }
  if (count > 0) save(lines, count);
}

// After take_failed(): a dead letter that could not be written keeps the checkpoint from being
// saved.
void Outcomes::settle(std::span<const Outcome> outcomes) {
  settled_.clear();
  for (const Outcome& outcome : outcomes) {
    if (is_failed(outcome) && left_for_next_run(outcome)) {
      // Of no effect where the run stops already.
      stop_.request(StopReason::events_failed);
    } else {
      settled_.push_back(place_of(outcome.tag));
    }
  }
  checkpoint_->settle(settled_);
}

bool Outcomes::left_for_next_run(const Outcome& outcome) const {
  return checkpoint_ != nullptr &&
         (dead_letters_ == nullptr || outcome.failure == Failure::stopped);
}

void Outcomes::save(const std::string& lines, std::uint64_t count) {
  if (dead_letters_->write(lines)) unsaved_.fetch_sub(count);
}

}  // namespace dualstream::command
