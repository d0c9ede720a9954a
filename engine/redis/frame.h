// Frame is what goes in one PUBLISH: notifications of one channel, oldest first.
//
// The message is one JSON object, notification format version 1. A reader that knows only `id`,
// `type` and `source_id` is served: they are always those of the frame's newest event.
//
//   {"id":"9004","type":"PushEvent","source_id":"owner/repo","partition":3,"offset":1201,
//    "prev":1150,
//    "earlier":[{"id":"9001","type":"CreateEvent","offset":1187},{"id":"9003","offset":1190}],
//    "missed":2}
//
//   partition, offset  Where the event lies in Kafka. Absent when unknown (notify = accepted).
//   prev     The offset of the source's event before the first event that this frame has of that
//            source in that partition. A reader that holds a smaller offset of it has a gap and
//            reads Kafka from there. Absent when unknown: the source is new here or was forgotten,
//            changed its partition, or missed some. Then a reader that holds an earlier event
//            looks in Kafka.
//   earlier  The frame's other events, oldest first. Absent when there are none. What one does not
//            say of itself is as in the newest event: its type, and its source and partition. One
//            of another source or partition brings a `prev` of its own: the offset of its source's
//            event just before it.
//              {"id":"9002","type":"ForkEvent","source_id":"other/repo","partition":1,
//               "offset":77,"prev":70}
//   missed   At most so many notifications did not reach this channel since its last frame: they
//            were dropped, or on their way when a connection broke. Absent when 0.
//
// Numbers are decimal integers. Ids may hold any bytes: what is no UTF-8 stands as \ufffd. Readers
// ignore members that they do not know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "event/notification.h"
#include "redis/held_pool.h"
#include "redis/message_buffer.h"
#include "redis/source_memory.h"

namespace dualstream::redis {

// A value, of a few words; moves, does not copy. While it lives its channel is not forgotten; then
// its notifications go back to their pool.
//
// Lifetime: memory and pool outlive it.
class Frame {
 public:
  Frame() = default;
  Frame(Channel& channel, SourceMemory& memory, HeldPool& pool) noexcept
      : channel_(&channel), memory_(&memory), pool_(&pool) {
    memory.keep(channel);
  }
  Frame(Frame&& other) noexcept { swap(other); }
  Frame& operator=(Frame&& other) noexcept {
    Frame{std::move(other)}.swap(*this);
    return *this;
  }
  ~Frame();

  void push_back(Held& held) noexcept;
  // The oldest goes back to the pool.
  void drop_front() noexcept;

  [[nodiscard]] Channel& channel() const noexcept { return *channel_; }
  [[nodiscard]] const Held* front() const noexcept { return first_; }
  [[nodiscard]] const Held* back() const noexcept { return last_; }
  [[nodiscard]] std::uint32_t events() const noexcept { return events_; }

  // What the channel missed before this frame.
  [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }
  void set_missed(std::uint64_t count) noexcept { missed_ = count; }

  // Appends the message. The frame is not empty.
  void render(MessageBuffer& out) const;

 private:
  void swap(Frame& other) noexcept {
    std::swap(channel_, other.channel_);
    std::swap(memory_, other.memory_);
    std::swap(pool_, other.pool_);
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    std::swap(missed_, other.missed_);
    std::swap(events_, other.events_);
  }

  Channel* channel_ = nullptr;
  SourceMemory* memory_ = nullptr;
  HeldPool* pool_ = nullptr;
  Held* first_ = nullptr;
  Held* last_ = nullptr;
  std::uint64_t missed_ = 0;
  std::uint32_t events_ = 0;
};

// About how many bytes a notification adds to a frame's message at the most: its id and type, and
// where a channel has several sources perhaps its own source and partition.
[[nodiscard]] inline std::size_t message_bytes(const event::Notification& notification,
                                               bool one_source_per_channel) noexcept {
  constexpr std::size_t kItemBytes = 48;
  constexpr std::size_t kPlaceBytes = 64;
  const std::size_t place =
      one_source_per_channel ? 0 : notification.source_id().size() + kPlaceBytes;
  return notification.id().size() + notification.type().size() + kItemBytes + place;
}

// No message of one notification is longer, whatever its texts.
[[nodiscard]] std::size_t message_bytes_max() noexcept;

}  // namespace dualstream::redis
