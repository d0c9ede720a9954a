// Event is one accepted event: its fields and bytes in a single block, from publish() to its
// outcome.
//
//   | Event | source_id | id | type | source_type | payload |
//             ^ the key                              ^ the value: librdkafka reads it where it
//             stands
//             '-------- texts(): what Redis is told -'
//
// The payload comes last, so that whoever does not need it finds the rest in two or three cache
// lines: a backlog is larger than the cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/prefetch.h"
#include "base/time.h"
#include "dualstream/event_view.h"
#include "event/answer_slot.h"
#include "event/block_pool.h"

namespace dualstream::event {

// Lifetime: made by make_event(), owned by one EventPtr, one EventList or the Kafka client at a
// time. Thread:   whoever owns it.
class Event {
 public:
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  [[nodiscard]] std::string_view source_id() const noexcept { return {bytes(), source_id_size_}; }
  [[nodiscard]] std::string_view id() const noexcept {
    return {bytes() + source_id_size_, id_size_};
  }
  [[nodiscard]] std::string_view type() const noexcept {
    return {id().data() + id_size_, type_size_};
  }
  [[nodiscard]] std::string_view source_type() const noexcept {
    return {type().data() + type_size_, source_type_size_};
  }
  [[nodiscard]] std::string_view payload() const noexcept {
    return {bytes() + texts_size(), payload_size_};
  }
  // The four texts, one after the other in the order above.
  [[nodiscard]] std::string_view texts() const noexcept { return {bytes(), texts_size()}; }
  // event::key_hash() of the source_id.
  [[nodiscard]] std::uint32_t key_hash() const noexcept { return key_hash_; }
  [[nodiscard]] std::uint64_t tag() const noexcept { return tag_; }
  [[nodiscard]] EventView view() const noexcept {
    return {id(), type(), source_type(), source_id(), payload(), tag_};
  }

  // Key and value, as Kafka sees it.
  [[nodiscard]] std::size_t record_bytes() const noexcept {
    return source_id_size_ + payload_size_;
  }
  // The whole block: what admission charges.
  [[nodiscard]] std::size_t block_bytes() const noexcept {
    return BlockPool::rounded(sizeof(Event) + texts_size() + payload_size_);
  }
  // Asks for what is read of an event once it has its outcome.
  static void prefetch(const Event* event) noexcept {
    base::prefetch(event);
    base::prefetch(reinterpret_cast<const char*>(event) + 64);
  }

  // When the Kafka worker took it: linger and expiry count from here, so that publish() reads no
  // clock.
  base::TimePoint taken_at{};
  // When publish() accepted it, for one that is measured; else the epoch.
  base::TimePoint published_at{};
  // Where publish_and_wait() wants its outcome; empty for all other events.
  AnswerSlot answer;

  // A client that died had it without an answer: whatever becomes of it now, it may be in the log.
  [[nodiscard]] bool may_be_in_log() const noexcept { return may_be_in_log_; }
  void set_may_be_in_log() noexcept { may_be_in_log_ = true; }

 private:
  friend struct EventDeleter;
  friend std::unique_ptr<Event, struct EventDeleter> make_event(const EventView& view) noexcept;
  friend std::unique_ptr<Event, struct EventDeleter> make_event(const EventView& view,
                                                                BlockPool::Taker& blocks) noexcept;
  friend void end(std::unique_ptr<Event, struct EventDeleter> event,
                  BlockPool::Giver& blocks) noexcept;

  [[nodiscard]] std::size_t texts_size() const noexcept {
    return std::size_t{source_id_size_} + id_size_ + type_size_ + source_type_size_;
  }

  Event(const EventView& view, std::uint32_t key_hash, BlockPool::Place place) noexcept;
  ~Event() = default;

  [[nodiscard]] const char* bytes() const noexcept {
    return reinterpret_cast<const char*>(this + 1);
  }
  [[nodiscard]] char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }

  const std::uint64_t tag_;
  const std::uint32_t key_hash_;
  const std::uint32_t payload_size_;
  const std::uint16_t source_id_size_;
  const std::uint16_t id_size_;
  const std::uint16_t type_size_;
  const std::uint16_t source_type_size_;
  const BlockPool::Place place_;
  bool may_be_in_log_ = false;
};

// Gives the block back where it came from.
struct EventDeleter {
  void operator()(Event* event) const noexcept;
};
using EventPtr = std::unique_ptr<Event, EventDeleter>;

// The block that `view` needs.
[[nodiscard]] std::size_t block_bytes(const EventView& view) noexcept;

// Copies `view`, whose fields are within their limits, into one block. Empty when there is no
// memory.
[[nodiscard]] EventPtr make_event(const EventView& view, BlockPool::Taker& blocks) noexcept;
// The same without a pool.
[[nodiscard]] EventPtr make_event(const EventView& view) noexcept;

// Ends one of many events.
void end(EventPtr event, BlockPool::Giver& blocks) noexcept;

}  // namespace dualstream::event
