#include "limited_report.h"

#include <algorithm>

#include "units.h"

namespace dualstream::command {

void LimitedReport::add(std::string_view text, std::string_view reason) {
  const std::lock_guard lock{mutex_};
  auto found = std::find_if(reasons_.begin(), reasons_.end(),
                            [reason](const auto& known) { return known.first == reason; });
  if (found == reasons_.end() && reasons_.size() < kReasonsMax) {
    found = reasons_.insert(reasons_.end(), {std::string{reason}, 0});
  } else if (found == reasons_.end()) {
    // The last place is for all others.
    found = std::prev(reasons_.end());
    found->first = "other";
  }
  found->second += 1;
  count_ += 1;
  // Inside the lock, so that they come in the order in which they were counted.
  if (count_ <= kPrintedMax) console_.say(text);
  if (count_ == kPrintedMax + 1) {
    console_.say("further " + plural_ + " are counted, not printed");
  }
}

std::uint64_t LimitedReport::count() const {
  const std::lock_guard lock{mutex_};
  return count_;
}

ReasonCounts LimitedReport::by_reason() const {
  ReasonCounts reasons;
  {
    const std::lock_guard lock{mutex_};
    reasons = reasons_;
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return reasons;
}

void LimitedReport::summarize() {
  const std::uint64_t total = count();
  if (total <= kPrintedMax) return;
  console_.say(grouped(total) + " " + plural_ + ": " + reasons_text(by_reason()));
}

std::string reasons_text(const ReasonCounts& reasons) {
  std::string text;
  for (const auto& [reason, count] : reasons) {
    text.append(text.empty() ? "" : ", ").append(reason).append(" ").append(grouped(count));
  }
  return text;
}

}  // namespace dualstream::command
