// PartitionMerge against everything that can go wrong before it, by seed: notifications dropped
// with and without a trace, connections broken, engines restarted, channels that overlap, Kafka
// away, retention, bounds, a topic made anew. A naive model knows the whole log and says what is
// wrong with the stream.
//
// DUALSTREAM_SIMULATION_SEED repeats one seed, and prints what happens in it;
// DUALSTREAM_SIMULATION_SEEDS says how many there are (400).
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "subscriber/partition_merge.h"

namespace dualstream::subscriber {
namespace {

constexpr int kStepsPerSeed = 8'000;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// The whole truth, and everything that the reader was given.
class World {
 public:
  World(std::uint64_t seed, bool trace)
      : random_(seed),
        trace_(trace),
        sources_(2 + below(6)),
        named_(chance(50)),
        two_channels_(chance(30)),
        may_lose_history_(chance(30)),
        last_of_publisher_(sources_, -1) {
    for (std::size_t i = below(40); i > 0; --i) append();
    // Whoever is remembered by the publisher may have begun long before the reader.
    const auto end = static_cast<std::int64_t>(log_.size());
    const std::int64_t from = chance(50) ? end : static_cast<std::int64_t>(below(log_.size() + 1));
    base_ = from;
    in_flight_.clear();
    second_channel_.clear();
    for (std::size_t source = 0; named_ && source < sources_; ++source) {
      keys_.push_back(source_key("repo", name(source)));
    }
    delivered_of_.assign(sources_, from - 1);
    merge_.emplace(
        0,
        PartitionMerge::Limits{.held_max = chance(50) ? 1 + below(12) : 8192,
                               .sources_max = 64,
                               .recent_max = chance(50) ? 1 + below(8) : 4096,
                               .history_offsets_max = may_lose_history_ && chance(50)
                                                          ? 5 + static_cast<std::int64_t>(below(60))
                                                          : 1'000'000},
        OffsetRange{.from = from, .to = end}, keys_);
    make_known();
  }

  void step() {
    const std::size_t dice = below(100);
    if (dice < 35) {
      append();
    } else if (dice < 65) {
      deliver_one();
    } else if (dice < 70) {
      deliver_second();
    } else if (dice < 92) {
      read();
    } else if (dice < 94) {
      drop_one_in_flight();
    } else if (dice < 95) {
      break_connection();
    } else if (dice < 96) {
      restart_publisher();
    } else if (dice < 97) {
      kafka_away_ = static_cast<int>(below(60));
    } else if (dice < 98 && may_lose_history_) {
      begin_ += static_cast<std::int64_t>(
          below(static_cast<std::uint64_t>(static_cast<std::int64_t>(log_.size()) - begin_) + 1));
    } else if (chance(2)) {
      make_topic_anew();
    } else {
      mark_if_quiet();
    }
  }

  // Every source speaks once more, and is heard.
  void finish() {
    reliable_ = true;
    kafka_away_ = 0;
    for (std::size_t source = 0; source < sources_; ++source) append_of(source);
    deliver_all();
    for (int i = 0; i < 100'000; ++i) {
      if (!read()) break;
    }
    EXPECT_EQ(merge_->phase(), SubscriptionPhase::live);
    EXPECT_EQ(merge_->held(), 0U);
    for (std::int64_t offset = base_; offset < static_cast<std::int64_t>(log_.size()); ++offset) {
      if (log_[static_cast<std::size_t>(offset)] < 0) continue;
      EXPECT_TRUE(delivered_.contains(offset) || told_lost(offset)) << "missing " << offset;
    }
  }

  [[nodiscard]] std::size_t delivered() const { return delivered_before_ + delivered_.size(); }
  [[nodiscard]] std::size_t changes() const { return changes_; }
  [[nodiscard]] const PartitionMerge::Counts& counts() const { return merge_->counts(); }

 private:
  // Of a source that neither side knows an earlier event is not looked for: so each is known.
  void make_known() {
    if (named_) return;
    reliable_ = true;
    for (std::size_t source = 0; source < sources_; ++source) append_of(source);
    deliver_all();
    reliable_ = false;
  }

  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : random_() % bound; }
  bool chance(std::uint64_t percent) { return below(100) < percent; }
  static std::string name(std::size_t source) {
    return std::string{"s"}.append(std::to_string(source));
  }

  void say(const std::string& what, std::int64_t first, std::int64_t second) const {
    if (trace_) {
      std::printf("%s %lld %lld\n", what.c_str(), static_cast<long long>(first),
                  static_cast<long long>(second));
    }
  }

  static Update update_of(std::size_t source, std::int64_t offset, Origin origin) {
    Update update;
    update.origin = origin;
    update.partition = 0;
    update.offset = offset;
    update.source_type = "repo";
    update.source_id = name(source);
    return update;
  }

  void append() {
    if (chance(40)) {
      log_.push_back(-1);  // Of nobody that the reader listens to.
      return;
    }
    append_of(below(sources_));
  }

  // As SourceMemory does it: the offset before it, or nothing when that is not known.
  void append_of(std::size_t source) {
    const auto offset = static_cast<std::int64_t>(log_.size());
    log_.push_back(static_cast<int>(source));
    std::int64_t previous = last_of_publisher_[source];
    last_of_publisher_[source] = offset;
    if (chance(2)) previous = -1;   // It was forgotten meanwhile.
    if (!reliable_ && chance(4)) {  // Dropped; the next one's `previous` tells.
      lost_up_to_ = offset;
      return;
    }
    in_flight_.push_back({.update = update_of(source, offset, Origin::live), .previous = previous});
  }

  void deliver_one() {
    if (in_flight_.empty()) return;
    LiveEvent event = std::move(in_flight_.front());
    in_flight_.pop_front();
    if (two_channels_) second_channel_.push_back(event);
    give(std::move(event));
  }
  void deliver_second() {
    if (second_channel_.empty()) return;
    LiveEvent event = std::move(second_channel_.front());
    second_channel_.pop_front();
    give(std::move(event));
  }
  void deliver_all() {
    while (!in_flight_.empty()) deliver_one();
    while (!second_channel_.empty()) deliver_second();
  }
  void give(LiveEvent event) {
    std::vector<Update> out;
    say("live " + event.update.source_id, event.update.offset, event.previous);
    merge_->live(std::move(event), out);
    check(out);
  }

  // Dropped in the queue: the source's next notification knows no predecessor.
  void drop_one_in_flight() {
    if (in_flight_.empty()) return;
    const auto at = static_cast<std::ptrdiff_t>(below(in_flight_.size()));
    const std::string source = in_flight_[static_cast<std::size_t>(at)].update.source_id;
    lost_up_to_ = std::max(lost_up_to_, in_flight_[static_cast<std::size_t>(at)].update.offset);
    in_flight_.erase(in_flight_.begin() + at);
    for (auto next = static_cast<std::size_t>(at); next < in_flight_.size(); ++next) {
      if (in_flight_[next].update.source_id != source) continue;
      in_flight_[next].previous = -1;
      return;
    }
    last_of_publisher_[static_cast<std::size_t>(std::stoul(source.substr(1)))] = -1;
  }

  // Whatever was on its way is gone; the reader is told to look from before that.
  void break_connection() {
    std::int64_t from = base_;
    const auto end = static_cast<std::int64_t>(log_.size());
    while (from < end && (log_[static_cast<std::size_t>(from)] < 0 || delivered_.contains(from) ||
                          told_lost(from))) {
      from += 1;
    }
    from = std::max<std::int64_t>(0, from - static_cast<std::int64_t>(below(20)));
    in_flight_.clear();
    second_channel_.clear();
    for (std::size_t more = below(10); more > 0; --more) append();
    in_flight_.clear();
    say("break, look", from, static_cast<std::int64_t>(log_.size()));
    merge_->look_into({.from = from, .to = static_cast<std::int64_t>(log_.size())});
  }

  // Its memory and what it held are gone, and nobody is told.
  void restart_publisher() {
    for (const LiveEvent& event : in_flight_) {
      lost_up_to_ = std::max(lost_up_to_, event.update.offset);
    }
    in_flight_.clear();
    std::ranges::fill(last_of_publisher_, -1);
  }

  // What came of it before that was noticed comes again.
  void make_topic_anew() {
    log_.clear();
    begin_ = 0;
    in_flight_.clear();
    second_channel_.clear();
    std::ranges::fill(last_of_publisher_, -1);
    lost_up_to_ = -1;
    reliable_ = true;
    for (std::size_t source = 0; source < sources_; ++source) append_of(source);
    reliable_ = false;
    for (std::size_t more = below(40); more > 0; --more) append();
    std::vector<Update> ignored;
    for (std::size_t early = below(in_flight_.size() + 1); early > 0; --early) {
      merge_->live(std::move(in_flight_.front()), ignored);
      in_flight_.pop_front();
    }
    std::vector<Update> out;
    say("anew", 0, static_cast<std::int64_t>(log_.size()));
    merge_->begin_anew(static_cast<std::int64_t>(log_.size()), keys_, out);
    ASSERT_EQ(out.size(), 1U);
    ASSERT_EQ(out.front().reason, GapReason::topic_changed);
    ASSERT_EQ(out.front().gap_end, 0);
    base_ = 0;
    delivered_before_ += delivered_.size();
    delivered_.clear();
    delivered_of_.assign(sources_, -1);
    told_lost_.clear();
    changes_ += 1;
    make_known();
  }

  // The clock's part: only when nothing old is on its way, or lost and not yet found.
  void mark_if_quiet() {
    if (in_flight_.empty() && second_channel_.empty() && lost_up_to_ < 0) {
      say("mark", 0, 0);
      merge_->mark();
    }
  }

  bool read() {
    std::vector<Update> out;
    const std::optional<OffsetRange> range = merge_->wanted(out);
    check(out);
    if (!range) return false;
    if (kafka_away_ > 0) {
      kafka_away_ -= 1;
      return true;
    }
    EXPECT_LT(range->from, range->to);
    EXPECT_LE(range->to, static_cast<std::int64_t>(log_.size()));
    out.clear();
    if (range->from < begin_) {
      merge_->begins_at(begin_, out);
      for (const Update& update : out) {
        EXPECT_TRUE(update.kind == UpdateKind::event || update.gap_end == begin_);
      }
      check(out);
      return true;
    }
    const std::int64_t to =
        std::min(range->to, range->from + 1 + static_cast<std::int64_t>(below(30)));
    say("read", range->from, to);
    std::vector<Update> records;
    for (std::int64_t offset = range->from; offset < to; ++offset) {
      const int source = log_[static_cast<std::size_t>(offset)];
      if (source < 0) continue;
      records.push_back(update_of(static_cast<std::size_t>(source), offset, Origin::history));
    }
    merge_->history({.from = range->from, .to = to}, std::move(records), out);
    check(out);
    return true;
  }

  [[nodiscard]] bool told_lost(std::int64_t offset) const {
    return std::ranges::any_of(told_lost_, [offset](const OffsetRange& range) {
      return range.from <= offset && offset < range.to;
    });
  }

  void check(const std::vector<Update>& updates) {
    for (const Update& update : updates) {
      say("  -> " + update.source_id + (update.origin == Origin::live ? "" : " history"),
          update.offset, update.gap_end);
      if (update.kind == UpdateKind::gap) {
        EXPECT_TRUE(may_lose_history_);
        told_lost_.push_back({.from = update.offset, .to = update.gap_end});
        continue;
      }
      const std::int64_t offset = update.offset;
      ASSERT_GE(offset, base_) << "not wanted";
      ASSERT_TRUE(delivered_.insert(offset).second) << "twice: " << offset;
      const int source = log_[static_cast<std::size_t>(offset)];
      ASSERT_EQ(name(static_cast<std::size_t>(source)), update.source_id);
      std::int64_t& last = delivered_of_[static_cast<std::size_t>(source)];
      ASSERT_GT(offset, last) << "out of order";
      ASSERT_FALSE(update.late);
      for (std::int64_t between = last + 1; between < offset; ++between) {
        if (log_[static_cast<std::size_t>(between)] != source) continue;
        ASSERT_TRUE(told_lost(between)) << between << " left out in silence before " << offset;
      }
      last = offset;
    }
    const auto found = [this](std::int64_t last) { return last > lost_up_to_; };
    if (std::ranges::all_of(delivered_of_, found)) lost_up_to_ = -1;
  }

  std::mt19937_64 random_;
  const bool trace_;
  const std::size_t sources_;
  const bool named_;
  const bool two_channels_;
  const bool may_lose_history_;

  std::vector<int> log_;
  std::int64_t begin_ = 0;
  std::vector<std::int64_t> last_of_publisher_;
  std::deque<LiveEvent> in_flight_;
  std::deque<LiveEvent> second_channel_;
  std::int64_t lost_up_to_ = -1;  // The newest that was lost, until it must have been found.
  int kafka_away_ = 0;
  bool reliable_ = false;

  std::vector<std::string> keys_;
  std::optional<PartitionMerge> merge_;
  std::int64_t base_ = 0;
  std::set<std::int64_t> delivered_;
  std::vector<std::int64_t> delivered_of_;
  std::vector<OffsetRange> told_lost_;
  std::size_t delivered_before_ = 0;  // Of topics that are gone.
  std::size_t changes_ = 0;           // Topics that were made anew.
};

TEST(PartitionMergeSimulationTest, NothingTwiceNothingOutOfOrderNothingLeftOutInSilence) {
  const std::uint64_t only = number_from_environment("DUALSTREAM_SIMULATION_SEED", 0);
  const std::uint64_t seeds =
      only != 0 ? only : number_from_environment("DUALSTREAM_SIMULATION_SEEDS", 400);
  std::size_t delivered = 0;
  std::size_t changes = 0;
  PartitionMerge::Counts all;
  for (std::uint64_t seed = only != 0 ? only : 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("DUALSTREAM_SIMULATION_SEED=" + std::to_string(seed));
    World world{seed, only != 0};
    for (int step = 0; step < kStepsPerSeed && !HasFailure(); ++step) world.step();
    if (!HasFailure()) world.finish();
    if (HasFailure()) return;
    delivered += world.delivered();
    changes += world.changes();
    all.history += world.counts().history;
    all.repeats += world.counts().repeats;
    all.gaps_healed += world.counts().gaps_healed;
    all.gaps_lost += world.counts().gaps_lost;
  }
  std::printf(
      "%zu delivered, %zu of them from history, %zu repeats dropped, %zu gaps healed, %zu told, "
      "%zu topics made anew\n",
      delivered, static_cast<std::size_t>(all.history), static_cast<std::size_t>(all.repeats),
      static_cast<std::size_t>(all.gaps_healed), static_cast<std::size_t>(all.gaps_lost), changes);
  EXPECT_GT(all.gaps_healed, 0U);
  EXPECT_GT(all.repeats, 0U);
  EXPECT_GT(changes, 0U);
}

}  // namespace
}  // namespace dualstream::subscriber
