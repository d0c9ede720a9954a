// Notification is what Redis is told of an event: which one, about whom, and where it lies in
// Kafka. Never its payload.
//
//   | source_id | id | type | source_type |   as in the event itself
//
// The texts stand one after the other in one block, inside the object when they are short, so that
// most notifications cross from the Kafka worker to the Redis worker without an allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/time.h"
#include "dualstream/event_view.h"
#include "event/event.h"

namespace dualstream::event {

// A value; moves, does not copy.
class Notification {
 public:
  Notification() = default;
  // Copies the four texts of `event`; its payload is not read. `partition` and `offset` are
  // negative when unknown (notify = accepted).
  Notification(const EventView& event, std::int32_t partition, std::int64_t offset);
  // The same in one copy.
  Notification(const Event& event, std::int32_t partition, std::int64_t offset);

  Notification(Notification&&) noexcept = default;
  Notification& operator=(Notification&&) noexcept = default;

  [[nodiscard]] std::string_view source_id() const noexcept { return {text(), source_id_size_}; }
  [[nodiscard]] std::string_view id() const noexcept {
    return {text() + source_id_size_, id_size_};
  }
  [[nodiscard]] std::string_view type() const noexcept {
    return {id().data() + id_size_, type_size_};
  }
  [[nodiscard]] std::string_view source_type() const noexcept {
    return {type().data() + type_size_, source_type_size_};
  }
  [[nodiscard]] std::int32_t partition() const noexcept { return partition_; }
  [[nodiscard]] std::int64_t offset() const noexcept { return offset_; }

  // How long its event took from the Kafka worker to the acknowledgement; 0 when it is announced
  // before that.
  [[nodiscard]] base::Duration age() const noexcept { return std::chrono::microseconds{age_us_}; }
  // Counted in whole microseconds, up to an hour.
  void set_age(base::Duration age) noexcept;

  // How many notifications of this source were dropped just before this one, on the way to the
  // Redis worker.
  [[nodiscard]] std::uint32_t missed_before() const noexcept { return missed_before_; }
  void set_missed_before(std::uint32_t count) noexcept { missed_before_ = count; }

  // Notifications of other sources were dropped before this one, and which sources these were is no
  // longer known: what anybody remembers of a source's last offset may be out of date.
  [[nodiscard]] bool lost_track() const noexcept { return lost_track_; }
  void set_lost_track() noexcept { lost_track_ = true; }

  // When its event was acknowledged, or taken (notify = accepted), to 8 µs; the epoch when nobody
  // said. It is kept short, so what is 9 hours old and more seems to be younger.
  [[nodiscard]] base::TimePoint made_at(base::TimePoint now) const noexcept;
  void set_made_at(base::TimePoint at) noexcept;

  // The memory it holds, the object included.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return sizeof *this + (heap_ ? text_size() : 0);
  }

 private:
  [[nodiscard]] char* make_room();

  static constexpr std::size_t kInlineBytes = 87;

  [[nodiscard]] std::size_t text_size() const noexcept {
    return std::size_t{id_size_} + type_size_ + source_type_size_ + source_id_size_;
  }
  [[nodiscard]] const char* text() const noexcept { return heap_ ? heap_.get() : inline_; }

  std::int64_t offset_ = -1;
  std::int32_t partition_ = -1;
  std::uint32_t missed_before_ = 0;
  std::uint32_t age_us_ = 0;
  std::uint32_t made_at_ticks_ = 0;  // 0: nobody said.
  std::uint16_t id_size_ = 0;
  std::uint16_t type_size_ = 0;
  std::uint16_t source_type_size_ = 0;
  std::uint16_t source_id_size_ = 0;
  std::unique_ptr<char[]> heap_;
  bool lost_track_ = false;
  char inline_[kInlineBytes];
};

static_assert(sizeof(Notification) == 128, "two cache lines");

}  // namespace dualstream::event
