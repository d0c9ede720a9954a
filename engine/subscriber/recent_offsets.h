// RecentOffsets remembers the newest offsets that were delivered of a partition, so that what comes
// again is told from what comes late, and from another event in its place.
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
    const auto place = std::ranges::lower_bound(entries_, offset, {}, &Entry::offset);
    return place != entries_.end() && place->offset == offset;
  }

  // Whether something else than `mark` was delivered there, as far as is known.
  [[nodiscard]] bool differs(std::int64_t offset, std::uint64_t mark) const noexcept {
    const auto place = std::ranges::lower_bound(entries_, offset, {}, &Entry::offset);
    const bool known = place != entries_.end() && place->offset == offset && place->mark != 0;
    return known && mark != 0 && place->mark != mark;
  }

  // `mark` stands for what was delivered; 0 where nothing does. Offsets from `kept_from` on are not
  // forgotten, up to kKeptShare times as many as usual.
  void insert(std::int64_t offset, std::uint64_t mark, std::int64_t kept_from) {
    if (!knows(offset)) return;
    const Entry entry{.offset = offset, .mark = mark};
    if (entries_.empty() || offset > entries_.back().offset) {
      entries_.push_back(entry);
    } else {
      entries_.insert(std::ranges::upper_bound(entries_, offset, {}, &Entry::offset), entry);
    }
    while (entries_.size() > count_max_ &&
           (entries_.front().offset < kept_from || entries_.size() > kKeptShare * count_max_)) {
      floor_ = entries_.front().offset;
      entries_.pop_front();
    }
  }

  // Whether one more makes it forget something from `kept_from` on.
  [[nodiscard]] bool would_forget(std::int64_t kept_from) const noexcept {
    return entries_.size() >= kKeptShare * count_max_ && entries_.front().offset >= kept_from;
  }

  // The first that it can tell of.
  [[nodiscard]] std::int64_t first_known() const noexcept { return floor_ + 1; }

  static constexpr std::size_t kKeptShare = 16;

 private:
  struct Entry {
    std::int64_t offset = 0;
    std::uint64_t mark = 0;
  };

  std::int64_t floor_;
  std::size_t count_max_;
  std::deque<Entry> entries_;  // In order.
};

}  // namespace dualstream::subscriber
