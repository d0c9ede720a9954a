// OpenFrame is a frame while the Coalescer holds it: the frame, how full it is, and its places in
// the lists.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "redis/frame.h"

namespace dualstream::redis {

struct FrameLinks {
  OpenFrame* before = nullptr;
  OpenFrame* after = nullptr;
  bool linked = false;
};

struct OpenFrame {
  Frame frame;
  FrameLinks in_all;
  FrameLinks in_full;
  base::TimePoint opened_at{};
  std::size_t message_bytes = 0;  // About as long will the message be.
  std::size_t held_bytes = 0;     // What it adds to the Coalescer's held_bytes().
  std::uint32_t generation = 0;   // Changes when the object comes to stand for another frame.
};

// A list through the frames themselves: any of them leaves it in a step.
template <FrameLinks OpenFrame::*Links>
class FrameList {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] OpenFrame* front() const noexcept { return first_; }

  void push_back(OpenFrame& frame) noexcept {
    (frame.*Links) = {.before = last_, .after = nullptr, .linked = true};
    (last_ != nullptr ? (last_->*Links).after : first_) = &frame;
    last_ = &frame;
  }

  // No matter whether it is in the list.
  void erase(OpenFrame& frame) noexcept {
    FrameLinks& links = frame.*Links;
    if (!links.linked) return;
    (links.before != nullptr ? (links.before->*Links).after : first_) = links.after;
    (links.after != nullptr ? (links.after->*Links).before : last_) = links.before;
    links = {};
  }

 private:
  OpenFrame* first_ = nullptr;
  OpenFrame* last_ = nullptr;
};

}  // namespace dualstream::redis
