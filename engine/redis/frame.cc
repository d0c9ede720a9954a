#include "redis/frame.h"

#include "base/check.h"
#include "base/prefetch.h"
#include "dualstream/event_view.h"
#include "redis/json_text.h"

namespace dualstream::redis {
namespace {

// The keys, quotes, commas and numbers around the texts of one event, all of them at their longest.
constexpr std::size_t kEnvelopeBytes = 192;

struct Place {
  std::string_view source_id;
  std::int32_t partition = -1;

  explicit Place(const Held& held)
      : source_id(held.notification.source_id()), partition(held.notification.partition()) {}
  bool operator==(const Place&) const = default;
};

void make_room_for(MessageBuffer& out, const event::Notification& notification) {
  out.make_room(kEnvelopeBytes +
                json_string_bytes_max(notification.id().size() + notification.type().size() +
                                      notification.source_id().size()));
}

void put_id(MessageBuffer& out, const event::Notification& notification) noexcept {
  out.put("{\"id\":");
  put_json_string(out, notification.id());
}

void put_type(MessageBuffer& out, const event::Notification& notification) noexcept {
  out.put(",\"type\":");
  put_json_string(out, notification.type());
}

void put_place(MessageBuffer& out, const Place& place) noexcept {
  out.put(",\"source_id\":");
  put_json_string(out, place.source_id);
  if (place.partition < 0) return;
  out.put(",\"partition\":");
  out.put_number(place.partition);
}

void put_offset(MessageBuffer& out, std::int64_t offset) noexcept {
  if (offset < 0) return;
  out.put(",\"offset\":");
  out.put_number(offset);
}

void put_previous(MessageBuffer& out, std::int64_t offset) noexcept {
  if (offset < 0) return;
  out.put(",\"prev\":");
  out.put_number(offset);
}

void append_earlier(MessageBuffer& out, const Held& held, const Place& newest_place,
                    std::string_view newest_type) {
  make_room_for(out, held.notification);
  const Place place{held};
  put_id(out, held.notification);
  // It would be a third of most items.
  if (held.notification.type() != newest_type) put_type(out, held.notification);
  if (place == newest_place) {
    put_offset(out, held.notification.offset());
  } else {
    put_place(out, place);
    put_offset(out, held.notification.offset());
    put_previous(out, held.previous_offset);
  }
  out.put("},");
}

}  // namespace

Frame::~Frame() {
  while (first_ != nullptr) drop_front();
  if (channel_ != nullptr) memory_->let_go(*channel_);
}

void Frame::push_back(Held& held) noexcept {
  (last_ != nullptr ? last_->next : first_) = &held;
  last_ = &held;
  events_ += 1;
}

void Frame::drop_front() noexcept {
  Held& oldest = *first_;
  first_ = oldest.next;
  if (first_ == nullptr) last_ = nullptr;
  events_ -= 1;
  pool_->give(oldest);
}

void Frame::render(MessageBuffer& out) const {
  CHECK(last_ != nullptr, "an empty frame is not published");
  const Held& newest = *last_;
  const Place place{newest};
  const Held* first_of_its_source = first_;
  while (Place{*first_of_its_source} != place) first_of_its_source = first_of_its_source->next;

  make_room_for(out, newest.notification);
  put_id(out, newest.notification);
  put_type(out, newest.notification);
  put_place(out, place);
  put_offset(out, newest.notification.offset());
  put_previous(out, first_of_its_source->previous_offset);
  if (first_ != last_) {
    out.put(",\"earlier\":[");
    for (const Held* held = first_; held != last_; held = held->next) {
      base::prefetch(held->next->next);
      append_earlier(out, *held, place, newest.notification.type());
    }
    out.drop_last();  // The comma after the last one.
    out.make_room(kEnvelopeBytes);
    out.put(']');
  }
  if (missed_ > 0) {
    out.put(",\"missed\":");
    out.put_number(missed_);
  }
  out.put('}');
}

std::size_t message_bytes_max() noexcept {
  return kEnvelopeBytes + json_string_bytes_max(kIdBytesMax + kTypeBytesMax + kSourceIdBytesMax);
}

}  // namespace dualstream::redis
