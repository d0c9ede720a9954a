#include "subscriber/offset_intervals.h"

#include <algorithm>

namespace dualstream::subscriber {

void OffsetIntervals::add(std::int64_t from, std::int64_t to) {
  if (to <= from) return;
  const auto first = std::ranges::lower_bound(stretches_, from, {}, &Stretch::to);
  auto last = first;
  for (; last != stretches_.end() && last->from <= to; ++last) {
    from = std::min(from, last->from);
    to = std::max(to, last->to);
  }
  stretches_.insert(stretches_.erase(first, last), Stretch{from, to});
  // The lowest holds everything that is not wanted.
  if (stretches_.size() > kStretchesMax) stretches_.erase(stretches_.begin() + 1);
}

std::vector<OffsetIntervals::Stretch>::const_iterator OffsetIntervals::after(
    std::int64_t offset) const noexcept {
  return std::ranges::upper_bound(stretches_, offset, {}, &Stretch::to);
}

bool OffsetIntervals::contains(std::int64_t offset) const noexcept {
  const auto found = after(offset);
  return found != stretches_.end() && found->from <= offset;
}

std::int64_t OffsetIntervals::next_hole(std::int64_t offset) const noexcept {
  const auto found = after(offset);
  return found != stretches_.end() && found->from <= offset ? found->to : offset;
}

std::int64_t OffsetIntervals::next_member(std::int64_t offset) const noexcept {
  const auto found = after(offset);
  return found == stretches_.end() ? kOffsetMax : std::max(found->from, offset);
}

}  // namespace dualstream::subscriber
