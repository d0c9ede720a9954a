// Coalescer groups notifications by channel, so that one PUBLISH carries many.
//
//   add() -> [ open frame of channel A ] -> take_due() -> the pipeline's window
//            [ full frame of channel B ]
//            [ open frame of channel B ]
//            frames stand in the order in which they were opened
//
// A frame may leave when its oldest notification has lingered, or when it is full. How long it
// lingers follows the age of the news: what came fresh from Kafka goes at once, what had to queue
// for it waits a little longer for company. So a light load is not delayed, and a heavy one costs
// Redis one PUBLISH for many events. The owner takes frames only while its window has room, so they
// grow as well while it has none, and none lingers while more than half of the room is taken.
// Frames leave in the order in
// which they were opened (a full one may overtake those of other channels that still linger), and
// those of one channel always in order.
//
// What is held is bounded by count and by bytes. Beyond either bound the oldest notification of all
// is dropped, and its channel's next frame says how many it missed.
//
// Pure: no I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/time.h"
#include "event/notification.h"
#include "redis/arrival_order.h"
#include "redis/frame.h"
#include "redis/open_frame.h"
#include "redis/source_memory.h"

namespace dualstream::redis {

// Thread:   Redis worker only.
// Lifetime: outlives the frames taken from it.
class Coalescer {
 public:
  struct Limits {
    base::Duration linger{0};
    base::Duration linger_max{0};
    std::size_t frame_events_max = 64;
    std::size_t frame_bytes_max = 16 * 1024;
    // Notifications held, one per template, and their bytes with those of their frames.
    std::size_t held_max = 32'768;
    std::size_t held_bytes_max = 16 * 1024 * 1024;
    std::size_t sources_remembered_max = 65'536;
  };

  Coalescer(const Limits& limits, std::vector<ChannelTemplate> templates);

  Coalescer(const Coalescer&) = delete;
  Coalescer& operator=(const Coalescer&) = delete;

  // Takes a notification for each template; `units()` of them. Returns how many units were dropped
  // to stay within the bounds (or for want of memory): the oldest, and the new one itself only if
  // it is larger than all the room there is.
  [[nodiscard]] std::size_t add(event::Notification&& notification, base::TimePoint now) noexcept;

  // The next frame that may leave, if any. With `now` = kNever it is the oldest one, due or not.
  [[nodiscard]] std::optional<Frame> take_due(base::TimePoint now);

  // When take_due() has something; kNever while nothing is held.
  [[nodiscard]] base::TimePoint next_due_at() const noexcept;

  // Drops everything that is held; returns how many units.
  std::size_t drop_all() noexcept;

  // The channel's next frame tells of so many more, if the channel is still known.
  void add_missed(ChannelRef channel, std::uint64_t count) noexcept;

  // How many units of the ledger one notification is: the templates.
  [[nodiscard]] std::size_t units() const noexcept { return memory_.templates(); }
  [[nodiscard]] std::size_t held() const noexcept { return held_; }
  // How long a frame may linger now.
  [[nodiscard]] base::Duration linger() const noexcept;
  [[nodiscard]] std::size_t held_bytes() const noexcept { return held_bytes_; }
  [[nodiscard]] const SourceMemory& memory() const noexcept { return memory_; }

  // The most memory that an object with these limits and so many templates can take.
  [[nodiscard]] static std::uint64_t memory_bytes_max(const Limits& limits,
                                                      std::size_t templates) noexcept;

 private:
  std::size_t put(Channel& channel, event::Notification&& notification,
                  std::int64_t previous_offset, base::TimePoint now);
  void follow_age(base::Duration age) noexcept;
  void lose_track() noexcept;
  void miss_the_new_one(Channel& channel) noexcept;
  void end_open_frame(Channel& channel) noexcept;
  [[nodiscard]] bool fits(std::size_t bytes) const noexcept;
  [[nodiscard]] bool is_due(const OpenFrame& frame, base::TimePoint now) const noexcept;
  [[nodiscard]] OpenFrame& open_frame(Channel& channel, base::TimePoint now) noexcept;
  void make_room_for_a_frame();
  void close_frame(OpenFrame& frame) noexcept;
  Frame remove(OpenFrame& frame) noexcept;
  void drop_oldest() noexcept;

  const Limits limits_;
  SourceMemory memory_;
  HeldPool pool_;

  std::deque<OpenFrame> frame_store_;
  std::vector<OpenFrame*> free_frames_;
  FrameList<&OpenFrame::in_all> all_;    // In the order in which they were opened.
  FrameList<&OpenFrame::in_full> full_;  // In the order in which they became full.
  ArrivalOrder arrivals_;

  base::Duration linger_;
  std::size_t held_ = 0;
  std::size_t held_bytes_ = 0;
};

}  // namespace dualstream::redis
