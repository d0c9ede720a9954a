#include "event/event.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace dualstream::event {
namespace {

char* append(char* to, std::string_view text) noexcept {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

}  // namespace

Event::Event(const EventView& view) noexcept
    : tag_(view.tag),
      payload_size_(static_cast<std::uint32_t>(view.payload.size())),
      source_id_size_(static_cast<std::uint16_t>(view.source_id.size())),
      id_size_(static_cast<std::uint16_t>(view.id.size())),
      type_size_(static_cast<std::uint16_t>(view.type.size())),
      source_type_size_(static_cast<std::uint16_t>(view.source_type.size())) {
  char* to = bytes();
  to = append(to, view.source_id);
  to = append(to, view.id);
  to = append(to, view.type);
  to = append(to, view.source_type);
  append(to, view.payload);
}

void EventDeleter::operator()(Event* event) const noexcept {
  event->~Event();
  std::free(event);
}

std::size_t block_bytes(const EventView& view) noexcept {
  return BlockPool::rounded(sizeof(Event) + view.source_id.size() + view.payload.size() +
                            view.id.size() + view.type.size() + view.source_type.size());
}

EventPtr make_event(const EventView& view, BlockPool::Taker& blocks) noexcept {
  void* block = blocks.take(block_bytes(view));
  if (block == nullptr) return nullptr;
  return EventPtr{new (block) Event{view}};
}

EventPtr make_event(const EventView& view) noexcept {
  void* block = std::malloc(block_bytes(view));
  if (block == nullptr) return nullptr;
  return EventPtr{new (block) Event{view}};
}

void recycle(EventPtr event, BlockPool& pool) noexcept {
  const std::size_t bytes = event->block_bytes();
  Event* block = event.release();
  block->~Event();
  pool.give(block, bytes);
}

}  // namespace dualstream::event
