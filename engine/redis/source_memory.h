// SourceMemory remembers, for a bounded number of sources, which channels they speak on and where
// their last event lies in Kafka; and for each channel, what it missed.
//
//   Source (repo, owner/repo) --+--> Channel events:repo:owner/repo      missed, open frame
//     last partition, offset    '--> Channel events:repo                 missed, open frame
//   Source (repo, other/repo) --+--> Channel events:repo:other/repo
//                               '--> Channel events:repo
//
// When there is no room for a new source another one is forgotten: one that was not asked for since
// the clock's hand last passed it, and if possible one whose channels have nothing missed to tell.
// The next event of a forgotten source has no previous offset: a reader that holds an earlier event
// of that source cannot know whether it has a gap, and has to look in Kafka.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "redis/channel.h"
#include "redis/pointer_table.h"

namespace dualstream::redis {

struct OpenFrame;

// One channel under one template.
struct Channel {
  std::string name;
  std::size_t hash = 0;
  std::uint64_t missed = 0;         // Dropped, and not yet told.
  OpenFrame* open_frame = nullptr;  // The Coalescer's: the frame that still grows.
  std::uint32_t users = 0;          // Sources and frames that refer to it.
  std::uint32_t generation = 0;     // Changes when the object comes to stand for another channel.
  std::uint8_t template_index = 0;
};

// A channel for later: it may be forgotten by then.
struct ChannelRef {
  Channel* channel = nullptr;
  std::uint32_t generation = 0;

  [[nodiscard]] static ChannelRef to(Channel& channel) noexcept {
    return {&channel, channel.generation};
  }
  // Null when it was forgotten.
  [[nodiscard]] Channel* get() const noexcept {
    return channel != nullptr && channel->generation == generation ? channel : nullptr;
  }
};

struct Source {
  // Notes an event. Returns the offset of the source's event before it, or -1 when that is unknown:
  // the first one remembered, another partition than before, events missed in between, or a topic
  // that was made anew.
  std::int64_t advance(std::int32_t to_partition, std::int64_t to_offset,
                       bool missed_some) noexcept;

  std::string key;  // source_type, then source_id.
  std::size_t source_type_size = 0;
  std::size_t hash = 0;
  std::int64_t offset = -1;
  std::int32_t partition = -1;
  bool in_use = false;
  bool asked_for = false;                          // Since the hand last passed.
  std::array<Channel*, kTemplatesMax> channels{};  // One for each template.
};

// Thread: Redis worker only.
class SourceMemory {
 public:
  // Texts count too: all of it stays below bytes_max(sources_max, templates), however long they
  // are, but for channels that frames still use.
  SourceMemory(std::vector<ChannelTemplate> templates, std::size_t sources_max);

  SourceMemory(const SourceMemory&) = delete;
  SourceMemory& operator=(const SourceMemory&) = delete;

  [[nodiscard]] static std::size_t bytes_max(std::size_t sources_max,
                                             std::size_t templates) noexcept;

  [[nodiscard]] std::size_t templates() const noexcept { return templates_.size(); }
  [[nodiscard]] bool one_source_per_channel(std::size_t template_index) const noexcept {
    return templates_[template_index].one_source_per_channel();
  }

  // The source, remembered from now on. Valid until the next call.
  Source& recall(std::string_view source_type, std::string_view source_id);

  // Forgets where every source's last event lies: the next one of each has no known predecessor.
  void forget_offsets() noexcept;

  // A frame that uses a channel keeps it from being forgotten.
  void keep(Channel& channel) noexcept { channel.users += 1; }
  void let_go(Channel& channel) noexcept;

  [[nodiscard]] std::size_t sources() const noexcept { return by_key_.size(); }
  [[nodiscard]] std::size_t channels() const noexcept;
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct SourceKey {
    std::string_view source_type;
    std::string_view source_id;
    std::size_t hash = 0;
  };
  [[nodiscard]] static bool is(const Source& source, const SourceKey& key) noexcept;
  [[nodiscard]] Source& remember(const SourceKey& key);
  [[nodiscard]] Channel& channel_of(std::size_t template_index, const SourceKey& key);
  [[nodiscard]] bool full() const noexcept;
  void forget_one();
  void forget(Source& source) noexcept;

  const std::vector<ChannelTemplate> templates_;
  const std::size_t sources_max_;
  const std::size_t bytes_max_;

  // The objects never move; those out of use wait in the lists.
  std::deque<Source> source_store_;
  std::deque<Channel> channel_store_;
  std::vector<Source*> free_sources_;
  std::vector<Channel*> free_channels_;

  PointerTable<Source> by_key_;
  std::array<PointerTable<Channel>, kTemplatesMax> by_name_;
  std::size_t hand_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace dualstream::redis
