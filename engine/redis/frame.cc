#include "redis/frame.h"

#include "base/check.h"
#include "dualstream/event_view.h"
#include "redis/json_text.h"

namespace dualstream::redis {
namespace {

// Keys, quotes, commas and the numbers of an item; and what its own source, partition and prev add.
constexpr std::size_t kItemBytes = 48;
constexpr std::size_t kOwnSourceBytes = 64;

// The rest of a message of one event: every key, and numbers at their longest.
constexpr std::size_t kEnvelopeBytes = 192;

// A control byte becomes six.
constexpr std::size_t kEscapedBytesMax = 6;

struct Place {
  std::string_view source_id;
  std::int32_t partition = -1;

  explicit Place(const Held& held)
      : source_id(held.notification.source_id()), partition(held.notification.partition()) {}
  bool operator==(const Place&) const = default;
};

void append_id_and_type(std::string& out, const event::Notification& notification) {
  out += "{\"id\":";
  append_json_string(out, notification.id());
  out += ",\"type\":";
  append_json_string(out, notification.type());
}

void append_source_and_partition(std::string& out, const Place& place) {
  out += ",\"source_id\":";
  append_json_string(out, place.source_id);
  if (place.partition < 0) return;
  out += ",\"partition\":";
  append_number(out, place.partition);
}

void append_offset(std::string& out, std::string_view key, std::int64_t offset) {
  if (offset < 0) return;
  out += key;
  append_number(out, offset);
}

void append_earlier(std::string& out, const Held& held, const Place& newest) {
  const Place place{held};
  append_id_and_type(out, held.notification);
  if (place == newest) {
    append_offset(out, ",\"offset\":", held.notification.offset());
  } else {
    append_source_and_partition(out, place);
    append_offset(out, ",\"offset\":", held.notification.offset());
    append_offset(out, ",\"prev\":", held.previous_offset);
  }
  out += '}';
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

void Frame::render(std::string& out) const {
  CHECK(last_ != nullptr, "an empty frame is not published");
  const Held& newest = *last_;
  const Place place{newest};
  const Held* first_of_its_source = first_;
  while (Place{*first_of_its_source} != place) first_of_its_source = first_of_its_source->next;

  append_id_and_type(out, newest.notification);
  append_source_and_partition(out, place);
  append_offset(out, ",\"offset\":", newest.notification.offset());
  append_offset(out, ",\"prev\":", first_of_its_source->previous_offset);
  if (first_ != last_) {
    out += ",\"earlier\":[";
    for (const Held* held = first_; held != last_; held = held->next) {
      if (held != first_) out += ',';
      append_earlier(out, *held, place);
    }
    out += ']';
  }
  if (missed_ > 0) {
    out += ",\"missed\":";
    append_number(out, missed_);
  }
  out += '}';
}

std::size_t message_bytes(const event::Notification& notification,
                          bool one_source_per_channel) noexcept {
  const std::size_t own_source =
      one_source_per_channel ? 0 : notification.source_id().size() + kOwnSourceBytes;
  return notification.id().size() + notification.type().size() + kItemBytes + own_source;
}

std::size_t message_bytes_max() noexcept {
  return kEnvelopeBytes + kEscapedBytesMax * (kIdBytesMax + kTypeBytesMax + kSourceIdBytesMax);
}

}  // namespace dualstream::redis
