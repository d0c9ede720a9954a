// RecentOffsets remembers the newest offsets that were delivered of a partition, so that what comes
// again is told from what comes late.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace dualstream::subscriber {

// A value.
class RecentOffsets {
 public:
  // Nothing up to `floor` counts as known.
  RecentOffsets(std::int64_t floor, std::size_t count_max) : floor_(floor), count_max_(count_max) {}

  // Whether contains() can tell.
  [[nodiscard]] bool knows(std::int64_t offset) const noexcept { return offset > floor_; }

  [[nodiscard]] bool contains(std::int64_t offset) const noexcept {
    return std::ranges::binary_search(offsets_, offset);
  }

  void insert(std::int64_t offset) {
    if (!knows(offset)) return;
    if (offsets_.empty() || offset > offsets_.back()) {
      offsets_.push_back(offset);
    } else {
      offsets_.insert(std::ranges::upper_bound(offsets_, offset), offset);
    }
    if (offsets_.size() <= count_max_) return;
    floor_ = offsets_.front();
    offsets_.pop_front();
  }

 private:
  std::int64_t floor_;
  std::size_t count_max_;
  std::deque<std::int64_t> offsets_;  // In order.
};

}  // namespace dualstream::subscriber
