#include "event/notification.h"

#include <algorithm>
#include <cstring>

namespace dualstream::event {
namespace {

constexpr std::chrono::microseconds kTick{8};

std::uint32_t ticks_of(base::TimePoint at) noexcept {
  return static_cast<std::uint32_t>(at.time_since_epoch() / kTick);
}

char* append(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

}  // namespace

Notification::Notification(const EventView& event, std::int32_t partition, std::int64_t offset)
    : offset_(offset),
      partition_(partition),
      id_size_(static_cast<std::uint16_t>(event.id.size())),
      type_size_(static_cast<std::uint16_t>(event.type.size())),
      source_type_size_(static_cast<std::uint16_t>(event.source_type.size())),
      source_id_size_(static_cast<std::uint16_t>(event.source_id.size())) {
  char* to = make_room();
  to = append(to, event.source_id);
  to = append(to, event.id);
  to = append(to, event.type);
  append(to, event.source_type);
}

Notification::Notification(const Event& event, std::int32_t partition, std::int64_t offset)
    : offset_(offset),
      partition_(partition),
      id_size_(static_cast<std::uint16_t>(event.id().size())),
      type_size_(static_cast<std::uint16_t>(event.type().size())),
      source_type_size_(static_cast<std::uint16_t>(event.source_type().size())),
      source_id_size_(static_cast<std::uint16_t>(event.source_id().size())) {
  append(make_room(), event.texts());
}

char* Notification::make_room() {
  if (text_size() > kInlineBytes) heap_ = std::make_unique_for_overwrite<char[]>(text_size());
  return heap_ ? heap_.get() : inline_;
}

void Notification::set_age(base::Duration age) noexcept {
  constexpr base::Duration kMost = std::chrono::hours{1};
  const base::Duration counted = std::clamp(age, base::Duration::zero(), kMost);
  age_us_ = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(counted).count());
}

base::TimePoint Notification::made_at(base::TimePoint now) const noexcept {
  if (made_at_ticks_ == 0) return {};
  const std::uint32_t ticks = ticks_of(now) - made_at_ticks_;  // Around zero and all.
  return now - ticks * kTick;
}

void Notification::set_made_at(base::TimePoint at) noexcept {
  made_at_ticks_ = at == base::TimePoint{} ? 0 : std::max<std::uint32_t>(1, ticks_of(at));
}

}  // namespace dualstream::event
