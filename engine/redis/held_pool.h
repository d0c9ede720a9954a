// HeldPool keeps the notifications that wait in frames in objects that are used again and again, so
// that holding one costs no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

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
    if (free_ != nullptr) return;
    blocks_.reserve(blocks_.size() + 1);
    blocks_.push_back(std::make_unique<Held[]>(kStep));
    for (std::size_t i = 0; i < kStep; ++i) give(blocks_.back()[i]);
  }

  [[nodiscard]] Held& take(event::Notification&& notification,
                           std::int64_t previous_offset) noexcept {
    Held& held = *free_;
    free_ = held.next;
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
    held.next = free_;
    free_ = &held;
  }

 private:
  std::vector<std::unique_ptr<Held[]>> blocks_;
  Held* free_ = nullptr;
};

}  // namespace dualstream::redis
