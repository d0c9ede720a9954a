// What the Coalescer writes to readers that believe it, while it forgets sources and loses track.
#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "coalescer_events.h"
#include "redis/coalescer.h"
#include "redis/frame_reader.h"
#include "redis/message_buffer.h"

namespace dualstream::redis {
namespace {

using namespace std::chrono_literals;

// Readers who believe what a frame tells: they think that they have a gap only where a predecessor
// is ahead of what they hold, or unknown.
class BelievingReaders {
 public:
  // What is appended of each source, in order.
  void truth(const std::string& source, std::int64_t offset) {
    const auto [last, first] = last_.try_emplace(source, -1);
    before_[offset] = last->second;
    last->second = offset;
  }

  // True when none of them takes a gap for none.
  [[nodiscard]] bool believe(const Frame& frame) {
    MessageBuffer message;
    frame.render(message);
    std::vector<Told> told;
    std::uint64_t missed = 0;
    std::string reason;
    EXPECT_TRUE(reader_.read(message.text(), told, missed, reason)) << reason;
    return std::ranges::all_of(told, [&](const Told& each) {
      std::int64_t& held = held_[frame.channel().name + " " + each.source_id];
      const bool believes_that_nothing_is_missing = each.previous >= 0 && each.previous <= held;
      const bool nothing_is_missing = before_[each.offset] <= held;
      unknown_ += each.previous < 0 ? 1 : 0;
      held = each.offset;
      return nothing_is_missing || !believes_that_nothing_is_missing;
    });
  }
  [[nodiscard]] std::uint64_t unknown() const { return unknown_; }

 private:
  FrameReader reader_;
  std::map<std::string, std::int64_t> last_;
  std::map<std::int64_t, std::int64_t> before_;  // By offset.
  std::map<std::string, std::int64_t> held_;     // By channel and source.
  std::uint64_t unknown_ = 0;
};

TEST(CoalescerGapTest, LetsNoReaderTakeAGapForNoneWhileSourcesAreForgottenInMidFrame) {
  std::uint64_t unknown = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    Coalescer::Limits limits;
    limits.frame_events_max = 1 + random() % 12;
    limits.held_max = 10 + random() % 60;
    limits.sources_remembered_max = 1 + random() % 4;
    Coalescer coalescer{limits,
                        templates({"events:{source_type}:{source_id}", "all:{source_type}"})};
    BelievingReaders readers;
    std::map<std::string, std::uint32_t> missed;
    bool lost_track = false;
    for (std::int64_t offset = 1; offset <= 3'000; ++offset) {
      const std::string source = std::to_string(random() % 6);
      readers.truth(source, offset);
      const auto dice = random() % 100;
      if (dice < 4) {
        missed[source] += 1;  // Dropped in the queue, which tells with the source's next one.
      } else if (dice < 6) {
        lost_track = true;  // Or with the next one of all.
      } else {
        event::Notification next = event(source, offset, std::exchange(missed[source], 0));
        if (std::exchange(lost_track, false)) next.set_lost_track();
        (void)coalescer.add(std::move(next), at(0ms));
      }
      if (random() % 6 != 0) continue;
      while (const auto frame = coalescer.take_due(at(0ms))) {
        ASSERT_TRUE(readers.believe(*frame)) << "before offset " << offset;
        if (random() % 3 == 0) break;
      }
    }
    unknown += readers.unknown();
  }
  EXPECT_GT(unknown, 10'000U) << "sources were forgotten";
}

TEST(CoalescerGapTest, AFrameHoldsAllOfASourceThatWasForgottenInMidFrame) {
  Coalescer coalescer{{.sources_remembered_max = 1}, templates({"all:{source_type}"})};
  EXPECT_EQ(coalescer.add(event("a", 1), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event("b", 2), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event("a", 3), at(0ms)), 0U) << "a was forgotten, and is new";
  const auto frame = coalescer.take_due(at(0ms));
  EXPECT_EQ(frame->events(), 3U) << "its predecessor is the one in the frame";
  EXPECT_EQ(frame->missed(), 0U);
}

}  // namespace
}  // namespace dualstream::redis
