#include "event/event.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "event/key_hash.h"

namespace dualstream::event {
namespace {

char* append(char* to, std::string_view text) noexcept {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

}  // namespace

Event::Event(const EventView& view, std::uint32_t key_hash, BlockPool::Place place) noexcept
    : tag_(view.tag),
      key_hash_(key_hash),
      payload_size_(static_cast<std::uint32_t>(view.payload.size())),
      source_id_size_(static_cast<std::uint16_t>(view.source_id.size())),
      id_size_(static_cast<std::uint16_t>(view.id.size())),
      type_size_(static_cast<std::uint16_t>(view.type.size())),
      source_type_size_(static_cast<std::uint16_t>(view.source_type.size())),
      place_(place) {
  char* to = bytes();
  to = append(to, view.source_id);
  to = append(to, view.id);
  to = append(to, view.type);
  to = append(to, view.source_type);
  append(to, view.payload);
}

void EventDeleter::operator()(Event* event) const noexcept {
  const BlockPool::Place place = event->place_;
  event->~Event();
  BlockPool::give(event, place);
}

std::size_t block_bytes(const EventView& view) noexcept {
  return BlockPool::rounded(sizeof(Event) + view.source_id.size() + view.payload.size() +
                            view.id.size() + view.type.size() + view.source_type.size());
}

EventPtr make_event(const EventView& view, BlockPool::Taker& blocks) noexcept {
  // What goes into one partition stands together: it is handed over, sent and told together.
  const std::uint32_t hash = key_hash(view.source_id);
  const BlockPool::Block block = blocks.take(block_bytes(view), hash);
  if (block.at == nullptr) return nullptr;
  return EventPtr{new (block.at) Event{view, hash, block.place}};
}

EventPtr make_event(const EventView& view) noexcept {
  void* block = std::malloc(block_bytes(view));
  if (block == nullptr) return nullptr;
  return EventPtr{new (block) Event{view, key_hash(view.source_id), 0}};
}

void end(EventPtr event, BlockPool::Giver& blocks) noexcept {
  Event* const block = event.release();
  const BlockPool::Place place = block->place_;
  block->~Event();
  blocks.give(block, place);
}

}  // namespace dualstream::event
