// ArrivalOrder knows which frame holds the oldest notification of all, also after frames have
// grown, left and lost their first ones.
//
//   | frame 3 | frame 7 | frame 3 | (left) | frame 9 |      one entry per notification, in order
//     oldest
//
// A notification leaves its frame only at the front, so the first entry that stands for a frame
// that is still held stands for that frame's front. Entries of frames that left are skipped, and
// cleared out when they outnumber the others: an entry costs 16 bytes and a few instructions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "redis/open_frame.h"

namespace dualstream::redis {

// Thread: Redis worker only.
class ArrivalOrder {
 public:
  // After it one push_back() does not fail. `live` is how many notifications are held.
  void make_room(std::size_t live) {
    if (size_ < entries_.size()) return;
    if (size_ > 0 && live <= size_ / 2) {
      clear_out();
    } else {
      grow();
    }
  }

  void push_back(OpenFrame& frame) noexcept {
    entries_[(first_ + size_) & (entries_.size() - 1)] = {&frame, frame.generation};
    size_ += 1;
  }

  // The frame whose front is the oldest notification; it is taken out. At least one is held.
  [[nodiscard]] OpenFrame& pop_oldest() noexcept {
    for (;;) {
      const Entry entry = entries_[first_];
      first_ = (first_ + 1) & (entries_.size() - 1);
      size_ -= 1;
      if (entry.is_live()) return *entry.frame;
    }
  }

  void clear() noexcept { size_ = 0; }

  // With at most `live_max` notifications held, and while it grows.
  [[nodiscard]] static std::size_t bytes_max(std::size_t live_max) noexcept {
    std::size_t capacity = kFirstCapacity;
    while (capacity < 2 * live_max + 2) capacity *= 2;
    return (capacity + capacity / 2) * sizeof(Entry);
  }

 private:
  struct Entry {
    OpenFrame* frame = nullptr;
    std::uint32_t generation = 0;

    [[nodiscard]] bool is_live() const noexcept { return frame->generation == generation; }
  };

  static constexpr std::size_t kFirstCapacity = 1024;

  void clear_out() noexcept {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      const Entry entry = entries_[(first_ + i) & (entries_.size() - 1)];
      if (!entry.is_live()) continue;
      entries_[(first_ + kept) & (entries_.size() - 1)] = entry;
      kept += 1;
    }
    size_ = kept;
  }

  void grow() {
    std::vector<Entry> larger(entries_.empty() ? kFirstCapacity : 2 * entries_.size());
    for (std::size_t i = 0; i < size_; ++i) {
      larger[i] = entries_[(first_ + i) & (entries_.size() - 1)];
    }
    entries_.swap(larger);
    first_ = 0;
  }

  std::vector<Entry> entries_;  // A ring; its size is a power of two.
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace dualstream::redis
