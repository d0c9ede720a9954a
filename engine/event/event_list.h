// EventList is a first-in-first-out list of events, strung through the events themselves: it never
// allocates.
#pragma once

#include <cstddef>
#include <utility>

#include "event/event.h"

namespace dualstream::event {

// Owns its events. Thread: one at a time.
class EventList {
 public:
  EventList() = default;
  EventList(EventList&& other) noexcept { splice_back(std::move(other)); }
  EventList& operator=(EventList&& other) noexcept {
    if (this == &other) return *this;
    clear();
    splice_back(std::move(other));
    return *this;
  }
  ~EventList() { clear(); }

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] const Event* front() const noexcept { return first_; }

  void push_back(EventPtr event) noexcept {
    Event* raw = event.release();
    raw->next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = raw;
    last_ = raw;
    size_ += 1;
  }

  // The list must not be empty.
  [[nodiscard]] EventPtr pop_front() noexcept {
    Event* raw = first_;
    first_ = raw->next;
    if (first_ == nullptr) last_ = nullptr;
    raw->next = nullptr;
    size_ -= 1;
    return EventPtr{raw};
  }

  // Moves all of `other` behind the last.
  void splice_back(EventList&& other) noexcept {
    if (other.empty()) return;
    (last_ == nullptr ? first_ : last_->next) = other.first_;
    last_ = other.last_;
    size_ += other.size_;
    other.first_ = other.last_ = nullptr;
    other.size_ = 0;
  }

  // Moves all of `other` before the first.
  void splice_front(EventList&& other) noexcept {
    other.splice_back(std::move(*this));
    splice_back(std::move(other));
  }

  void clear() noexcept {
    while (!empty()) static_cast<void>(pop_front());
  }

 private:
  Event* first_ = nullptr;
  Event* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace dualstream::event
