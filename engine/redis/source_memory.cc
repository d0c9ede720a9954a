#include "redis/source_memory.h"

#include <functional>
#include <utility>

#include "base/check.h"

namespace dualstream::redis {
namespace {

// An object's places in a table that has just grown, and what malloc adds.
constexpr std::size_t kTableBytes = 48;

// Texts of a source and of a channel that need no room of their own in the bounds.
constexpr std::size_t kUsualTextBytes = 64;

// How far the hand goes to find a source that can be forgotten without a loss.
constexpr std::size_t kHandStepsMax = 64;

std::size_t bytes_of(const Source& source) noexcept {
  return sizeof source + source.key.size() + kTableBytes;
}

std::size_t bytes_of(const Channel& channel) noexcept {
  return sizeof channel + channel.name.size() + kTableBytes;
}

// Once forgotten, a long text gives its memory back.
void clear(std::string& text) noexcept {
  if (text.capacity() > kUsualTextBytes) {
    std::string{}.swap(text);
  } else {
    text.clear();
  }
}

template <typename T>
T& take_free(std::vector<T*>& free, std::deque<T>& store) {
  if (free.empty()) {
    // All could be free at once; the list must have room for them then.
    if (free.capacity() <= store.size()) free.reserve(2 * store.size() + 16);
    return store.emplace_back();
  }
  T& object = *free.back();
  free.pop_back();
  return object;
}

}  // namespace

std::int64_t Source::advance(std::int32_t to_partition, std::int64_t to_offset,
                             bool missed_some) noexcept {
  if (to_offset < 0) return -1;
  const bool follows = to_partition == partition && offset >= 0 && offset < to_offset;
  const std::int64_t before = follows && !missed_some ? offset : -1;
  partition = to_partition;
  offset = to_offset;
  return before;
}

SourceMemory::SourceMemory(std::vector<ChannelTemplate> templates, std::size_t sources_max)
    : templates_(std::move(templates)),
      sources_max_(sources_max < 1 ? 1 : sources_max),
      bytes_max_(bytes_max(sources_max_, templates_.size())) {
  CHECK(!templates_.empty() && templates_.size() <= kTemplatesMax, "templates are validated");
}

std::size_t SourceMemory::bytes_max(std::size_t sources_max, std::size_t templates) noexcept {
  return sources_max * (sizeof(Source) + kTableBytes + kUsualTextBytes +
                        templates * (sizeof(Channel) + kTableBytes + kUsualTextBytes));
}

Source& SourceMemory::recall(std::string_view source_type, std::string_view source_id) {
  const std::hash<std::string_view> hash;
  const SourceKey key{source_type, source_id, hash(source_type) * 31 + hash(source_id)};
  if (Source* found =
          by_key_.find(key.hash, [&key](const Source& source) { return is(source, key); })) {
    found->asked_for = true;
    return *found;
  }
  while (full()) forget_one();
  return remember(key);
}

bool SourceMemory::full() const noexcept {
  return by_key_.size() >= sources_max_ || (bytes_ >= bytes_max_ && by_key_.size() > 0);
}

Source& SourceMemory::remember(const SourceKey& key) {
  Source& source = take_free(free_sources_, source_store_);
  try {
    source.key.reserve(key.source_type.size() + key.source_id.size());
    source.key.append(key.source_type).append(key.source_id);
    source.source_type_size = key.source_type.size();
    source.hash = key.hash;
    for (std::size_t i = 0; i < templates_.size(); ++i) {
      Channel& channel = channel_of(i, key);
      channel.users += 1;
      source.channels[i] = &channel;
    }
    by_key_.make_room();
  } catch (...) {
    forget(source);
    throw;
  }
  by_key_.insert(source.hash, source);
  source.in_use = true;
  source.asked_for = true;
  bytes_ += bytes_of(source);
  return source;
}

Channel& SourceMemory::channel_of(std::size_t template_index, const SourceKey& key) {
  std::string name = templates_[template_index].expand(key.source_type, key.source_id);
  name.shrink_to_fit();
  const std::size_t hash = std::hash<std::string_view>{}(name);
  PointerTable<Channel>& channels = by_name_[template_index];
  if (Channel* found =
          channels.find(hash, [&name](const Channel& channel) { return channel.name == name; })) {
    return *found;
  }
  channels.make_room();
  Channel& channel = take_free(free_channels_, channel_store_);
  channel.name = std::move(name);
  channel.hash = hash;
  channel.template_index = static_cast<std::uint8_t>(template_index);
  channels.insert(hash, channel);
  bytes_ += bytes_of(channel);
  return channel;
}

void SourceMemory::forget_offsets() noexcept {
  for (Source& source : source_store_) {
    source.partition = -1;
    source.offset = -1;
  }
}

void SourceMemory::let_go(Channel& channel) noexcept {
  CHECK(channel.users > 0, "a channel is let go as often as it was kept");
  channel.users -= 1;
  if (channel.users > 0) return;
  bytes_ -= bytes_of(channel);
  by_name_[channel.template_index].erase(channel.hash, channel);
  clear(channel.name);
  channel.missed = 0;
  channel.generation += 1;
  free_channels_.push_back(&channel);
}

std::size_t SourceMemory::channels() const noexcept {
  std::size_t count = 0;
  for (const PointerTable<Channel>& channels : by_name_) count += channels.size();
  return count;
}

void SourceMemory::forget_one() {
  Source* owed = nullptr;  // It has something to tell, or was asked for: only if there is no other.
  for (std::size_t step = 0; step < kHandStepsMax || owed == nullptr; ++step) {
    hand_ = hand_ + 1 < source_store_.size() ? hand_ + 1 : 0;
    Source& source = source_store_[hand_];
    if (!source.in_use) continue;
    if (owed == nullptr) owed = &source;
    if (std::exchange(source.asked_for, false)) continue;
    bool has_missed = false;
    for (std::size_t i = 0; i < templates_.size(); ++i) {
      has_missed = has_missed || source.channels[i]->missed > 0;
    }
    if (has_missed) continue;
    forget(source);
    return;
  }
  forget(*owed);
}

void SourceMemory::forget(Source& source) noexcept {
  if (source.in_use) {
    bytes_ -= bytes_of(source);
    by_key_.erase(source.hash, source);
  }
  for (Channel*& channel : source.channels) {
    if (channel != nullptr) let_go(*channel);
    channel = nullptr;
  }
  clear(source.key);
  source.offset = -1;
  source.partition = -1;
  source.in_use = false;
  source.asked_for = false;
  free_sources_.push_back(&source);
}

bool SourceMemory::is(const Source& source, const SourceKey& key) noexcept {
  const std::string_view text = source.key;
  return source.source_type_size == key.source_type.size() &&
         text.size() == key.source_type.size() + key.source_id.size() &&
         text.ends_with(key.source_id) && text.starts_with(key.source_type);
}

}  // namespace dualstream::redis
