// PartitionMerge merges live notifications of one partition with its history in Kafka into one
// stream: in order for each source, nothing twice, and nothing left out without a word.
//
//   live()     notifications, as they come -----+
//                                               +--> updates
//   history()  records, read as wanted() asks --+
//
// A live event is handed on at once when it follows: its `previous`, the offset of its source's
// event before it, was handed on or is settled. Otherwise it is held, and wanted() asks for the
// stretch of the partition that may hold what is missing. What is settled is a set of offsets, of
// which every event that the reader wants has been handed on:
//
//      settled            not known       settled       to be read         held
//   |===================|..............|=============|<~~~~~~~~~~~~~~>|  o prev=?
//   0                 base                                               ^ live
//
// A stretch is read for all sources of the reader at once. So where notifications tell nothing
// (`previous` unknown, again and again) the worst case is reading the partition once. But a source
// that may have missed something before the stretch is passed over: its own notifications tell,
// and it is read then.
//
// What is held may be thrown away at the bound, as Kafka has it: the stretch to read grows.
//
// Pure: no I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dualstream/subscriber.h"
#include "subscriber/offset_intervals.h"
#include "subscriber/recent_offsets.h"

namespace dualstream::subscriber {

// What a notification tells.
struct LiveEvent {
  Update update;
  // The offset of the source's event before it; -1 when unknown.
  std::int64_t previous = -1;
};

// Offsets [from, to).
struct OffsetRange {
  std::int64_t from = 0;
  std::int64_t to = 0;
  bool operator==(const OffsetRange&) const = default;
};

// One text for a source; no two sources share one.
[[nodiscard]] std::string source_key(std::string_view source_type, std::string_view source_id);

// Thread: one at a time.
class PartitionMerge {
 public:
  struct Limits {
    std::size_t held_max = 8'192;
    std::size_t sources_max = 65'536;
    std::size_t recent_max = 4'096;
    std::int64_t history_offsets_max = 1'000'000;
  };

  struct Counts {
    std::uint64_t live = 0;
    std::uint64_t history = 0;
    std::uint64_t repeats = 0;
    std::uint64_t late = 0;
    std::uint64_t looks = 0;
    std::uint64_t gaps_healed = 0;
    std::uint64_t gaps_lost = 0;
  };

  // Events before `base` are not wanted; those in [base, join_to) come from history, before
  // anything live. `named` are sources, as source_key() writes them, of which every event is
  // accounted for and which are never forgotten.
  PartitionMerge(std::int32_t partition, const Limits& limits, OffsetRange join,
                 const std::vector<std::string>& named);

  // A notification, in the order in which its channel brought it. Appends what can be handed on.
  void live(LiveEvent&& event, std::vector<Update>& out);

  // Whatever lies in `range` may have been missed, and nothing that is older: a break, or a count
  // of missed ones.
  void look_into(OffsetRange range);

  // Something was missed, nobody knows yet up to where: look_into() follows. What was handed on
  // lately is not forgotten until then.
  void beware();

  // While it is paused everything live is held. (The reader is slow, and its queue full.)
  void pause() noexcept { paused_ = true; }
  void resume(std::vector<Update>& out);

  // The stretch to be read next, if any. Appends what it then gives up: stretches that are too
  // long.
  [[nodiscard]] std::optional<OffsetRange> wanted(std::vector<Update>& out);

  // The records of the reader's sources in `range`, in order, and there are no others.
  // `range.from` is that of wanted(), `range.to` any offset after it.
  void history(OffsetRange range, std::vector<Update>&& records, std::vector<Update>& out);

  // Kafka has nothing before `offset` any more.
  void begins_at(std::int64_t offset, std::vector<Update>& out);

  // The topic was made anew: nothing that is known holds for what it has now. Appends word of it;
  // all up to `end` comes from history then.
  void begin_anew(std::int64_t end, const std::vector<std::string>& named,
                  std::vector<Update>& out);

  // Whether a notification has told of another event where one was delivered before, since the last
  // call. Then the topic may have been made anew: Kafka has to say.
  [[nodiscard]] bool take_doubt() noexcept { return std::exchange(doubt_, false); }

  // Call it now and then, more than the longest delay of a notification apart: whatever was handed
  // on two calls ago has nothing before it on the way any more.
  void mark() noexcept;

  [[nodiscard]] SubscriptionPhase phase() const noexcept;
  // The newest offset that was handed on, or lies before all that is wanted.
  [[nodiscard]] std::int64_t newest() const noexcept { return newest_; }
  // Below it nothing is wanted.
  [[nodiscard]] std::int64_t base() const noexcept { return base_; }
  [[nodiscard]] std::size_t held() const noexcept { return held_; }
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

 private:
  struct Source {
    std::int64_t newest = -1;  // Everything up to it was handed on or is not wanted.
    bool named = false;
    // Records of it in here were passed over: settled_ does not hold for it.
    OffsetRange passed_over{};
    bool in_reach = false;       // Of the stretch being read: it has missed nothing before that.
    std::deque<LiveEvent> held;  // In order of offset.
    std::list<const std::string*>::iterator place;  // In by_age_, unless named.
  };
  using Sources = std::unordered_map<std::string, Source>;

  void take_live(LiveEvent&& event, std::vector<Update>& out);
  void take_record(Update&& record, OffsetRange range, std::vector<Update>& out);
  void hand_on(Update&& update, Sources::iterator source, std::vector<Update>& out);
  void hold(LiveEvent&& event, std::string_view key, Sources::iterator source);
  void throw_held_away();
  void release(std::vector<Update>& out);
  void give_up(OffsetRange range, GapReason reason, std::vector<Update>& out);
  void end_stretch() noexcept;

  void pass_over(std::string&& key, Sources::iterator source, OffsetRange range);
  void read_past(std::int64_t offset);
  void note_missing(const Source* source, const LiveEvent& event);
  [[nodiscard]] std::int64_t pending_from() const noexcept;
  [[nodiscard]] bool runs_ahead() const noexcept;
  [[nodiscard]] bool waits() const noexcept { return joining_ || paused_; }
  [[nodiscard]] bool is_settled(const Source* source, std::int64_t offset) const noexcept;
  [[nodiscard]] std::int64_t next_hole(const Source& source, std::int64_t offset) const noexcept;
  // For every source.
  [[nodiscard]] std::int64_t next_hole(std::int64_t offset) const;
  // Where a source may have missed something at the earliest, as far as anybody knows.
  [[nodiscard]] std::int64_t first_doubt(const Source* source) const noexcept;
  [[nodiscard]] bool is_repeat(const Source* source, std::int64_t offset) const noexcept;
  [[nodiscard]] bool follows(const Source* source, const LiveEvent& event) const noexcept;
  [[nodiscard]] std::int64_t look_from(const Source& source, const LiveEvent& event) const noexcept;

  Sources::iterator remember(std::string key, std::int64_t newest);
  void forget_oldest();

  // Assigned as a whole, in begin_anew().
  std::int32_t partition_;
  Limits limits_;
  std::int64_t base_;

  OffsetIntervals settled_;
  RecentOffsets recent_;
  // What is to be read besides what held events need, each empty if from >= to.
  OffsetRange look_{};    // What look_into() asks for: nothing older was missed by any source.
  OffsetRange refill_{};  // Where held events were thrown away.
  bool joining_ = false;  // The first look: everything live waits.
  bool paused_ = false;
  bool doubt_ = false;

  Sources sources_;
  std::list<const std::string*> by_age_;  // Keys of those that may be forgotten, the oldest first.
  std::int64_t forgotten_;                // The newest offset of any source that was.
  std::vector<std::string> blocked_;      // Keys of sources that hold something.
  std::vector<std::string> passed_over_;  // Keys of sources that records were passed over of.
  std::size_t held_ = 0;

  // What was handed on at the last mark() and at the one before it.
  std::int64_t newest_;
  std::int64_t marked_;
  std::int64_t trusted_;

  bool in_stretch_ = false;  // Between the first wanted() with an answer and the next without.
  bool stretch_is_join_ = false;
  std::uint64_t history_before_stretch_ = 0;
  std::uint64_t lost_before_stretch_ = 0;
  Counts counts_;
};

}  // namespace dualstream::subscriber
