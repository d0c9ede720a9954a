#include "event/notification.h"

#include <algorithm>
#include <cstring>

namespace dualstream::event {
namespace {

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

}  // namespace dualstream::event
