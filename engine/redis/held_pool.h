// HeldPool keeps the notifications that wait in frames in objects that are used again and again, so
// that holding one costs no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/prefetch.h"
#include "event/notification.h"

namespace dualstream::redis {

// A notification in a frame.
struct Held {
  event::Notification notification;
  std::int64_t previous_offset = -1;  // Of the source's event before it; -1 when unknown.
  Held* next = nullptr;
};

// Grows in steps of kStep to the most that were held at once, and stays so.
//
// Thread: Redis worker only.
class HeldPool {
 public:
  static constexpr std::size_t kStep = 256;

  HeldPool() = default;
  HeldPool(const HeldPool&) = delete;
  HeldPool& operator=(const HeldPool&) = delete;

  // After it one take() does not fail.
  void make_room() {
    if (!free_.empty()) return;
    blocks_.reserve(blocks_.size() + 1);
    free_.reserve((blocks_.size() + 1) * kStep);  // All could be free at once.
    blocks_.push_back(std::make_unique<Held[]>(kStep));
    for (std::size_t i = kStep; i > 0; --i) free_.push_back(&blocks_.back()[i - 1]);
  }

  [[nodiscard]] Held& take(event::Notification&& notification,
                           std::int64_t previous_offset) noexcept {
    Held& held = *free_.back();
    free_.pop_back();
    if (free_.size() >= kAhead) prefetch(free_[free_.size() - kAhead]);
    held.notification = std::move(notification);
    held.previous_offset = previous_offset;
    held.next = nullptr;
    return held;
  }

  void give(Held& held) noexcept {
    // Long texts go at once; short ones stand in the object.
    if (held.notification.bytes() > sizeof held.notification) {
      held.notification = event::Notification{};
    }
    free_.push_back(&held);
  }

  [[nodiscard]] static std::size_t bytes_max(std::size_t held_max) noexcept {
    return (held_max + kStep) * (sizeof(Held) + sizeof(Held*) * 2);
  }

 private:
  // One that is used again may not have been touched for long.
  static constexpr std::size_t kAhead = 4;
  static void prefetch(const Held* held) noexcept {
    base::prefetch(held);
    base::prefetch(reinterpret_cast<const char*>(held) + 64);
    base::prefetch(reinterpret_cast<const char*>(held) + 128);
  }

  std::vector<std::unique_ptr<Held[]>> blocks_;
  std::vector<Held*> free_;
};

}  // namespace dualstream::redis
