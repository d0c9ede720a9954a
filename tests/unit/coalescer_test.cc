#include "redis/coalescer.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "coalescer_events.h"

namespace dualstream::redis {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

const std::vector<std::string> kPerSource = {"events:{source_type}:{source_id}"};

std::vector<std::int64_t> offsets(const Frame& frame) {
  std::vector<std::int64_t> all;
  for (const Held* held = frame.front(); held != nullptr; held = held->next) {
    all.push_back(held->notification.offset());
  }
  return all;
}

using Offsets = std::vector<std::int64_t>;

TEST(CoalescerTest, LetsAFrameGoAtOnceWithoutLinger) {
  Coalescer coalescer{{}, templates(kPerSource)};
  EXPECT_FALSE(coalescer.take_due(at(0ms)));
  EXPECT_EQ(coalescer.next_due_at(), base::kNever);
  EXPECT_EQ(coalescer.add(event("7", 1), at(0ms)), 0U);
  EXPECT_LE(coalescer.next_due_at(), at(0ms));
  const auto frame = coalescer.take_due(at(0ms));
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->channel().name, "events:sensor:7");
  EXPECT_EQ(offsets(*frame), Offsets{1});
  EXPECT_FALSE(coalescer.take_due(at(0ms)));
  EXPECT_EQ(coalescer.held(), 0U);
  EXPECT_EQ(coalescer.held_bytes(), 0U);
}

TEST(CoalescerTest, GroupsByChannelWhileNobodyTakes) {
  Coalescer coalescer{{}, templates(kPerSource)};
  for (const auto& [source, offset] :
       std::vector<std::pair<const char*, int>>{{"a", 1}, {"b", 2}, {"a", 3}, {"a", 4}, {"b", 5}}) {
    EXPECT_EQ(coalescer.add(event(source, offset), at(0ms)), 0U);
  }
  EXPECT_EQ(offsets(*coalescer.take_due(at(0ms))), (Offsets{1, 3, 4}));
  EXPECT_EQ(offsets(*coalescer.take_due(at(0ms))), (Offsets{2, 5}));
}

TEST(CoalescerTest, ClosesAFrameWhenItsOldestEventHasWaitedLongEnough) {
  Coalescer coalescer{{.linger = 2ms}, templates(kPerSource)};
  EXPECT_EQ(coalescer.add(event("7", 1), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event("7", 2), at(1ms)), 0U);
  EXPECT_FALSE(coalescer.take_due(at(1ms)));
  EXPECT_EQ(coalescer.next_due_at(), at(2ms));
  EXPECT_EQ(offsets(*coalescer.take_due(at(2ms))), (Offsets{1, 2}));
}

TEST(CoalescerTest, LingersTwiceAsLongAsTheEventWaitedForKafkaBeyondAFewMilliseconds) {
  Coalescer coalescer{{.linger = 1ms, .linger_max = 10ms}, templates(kPerSource)};
  const auto linger_after = [&coalescer](base::Duration age) {
    event::Notification notification = event("7", 1);
    notification.set_age(age);
    EXPECT_EQ(coalescer.add(std::move(notification), at(0ms)), 0U);
    const base::TimePoint due = coalescer.next_due_at();
    EXPECT_TRUE(coalescer.take_due(due));
    return due - at(0ms);
  };
  EXPECT_EQ(linger_after(0ms), 1ms) << "never less";
  EXPECT_EQ(linger_after(8ms), 6ms);
  EXPECT_EQ(linger_after(10s), 10ms) << "never more";
  EXPECT_EQ(linger_after(5ms), 1ms) << "fresh news after old is not held up";
}

TEST(CoalescerTest, LingersNoMoreOnceHalfOfTheRoomIsTaken) {
  Coalescer coalescer{{.linger = 1h, .held_max = 4}, templates(kPerSource)};
  EXPECT_EQ(coalescer.add(event("a", 1), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event("b", 2), at(0ms)), 0U);
  EXPECT_FALSE(coalescer.take_due(at(0ms)));
  EXPECT_EQ(coalescer.add(event("c", 3), at(0ms)), 0U);
  EXPECT_EQ(offsets(*coalescer.take_due(at(0ms))), (Offsets{1}));
  EXPECT_FALSE(coalescer.take_due(at(0ms)));
}

TEST(CoalescerTest, ForgetsEveryPreviousOffsetWhenTheQueueHasLostTrackOfWhoMissedSome) {
  Coalescer coalescer{{}, templates(kPerSource)};
  EXPECT_EQ(coalescer.add(event("a", 1), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event("b", 2), at(0ms)), 0U);
  ASSERT_TRUE(coalescer.take_due(at(0ms)));
  ASSERT_TRUE(coalescer.take_due(at(0ms)));
  event::Notification after_the_loss = event("b", 8);
  after_the_loss.set_lost_track();
  EXPECT_EQ(coalescer.add(std::move(after_the_loss), at(1ms)), 0U);
  EXPECT_EQ(coalescer.add(event("a", 9), at(1ms)), 0U);
  EXPECT_EQ(coalescer.take_due(at(1ms))->front()->previous_offset, -1);
  EXPECT_EQ(coalescer.take_due(at(1ms))->front()->previous_offset, -1)
      << "its readers have to look for themselves";
}

TEST(CoalescerTest, LetsNoFrameSpanAGap) {
  Coalescer coalescer{{}, templates(kPerSource)};
  EXPECT_EQ(coalescer.add(event("a", 1), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event("a", 4, 2), at(0ms)), 0U);
  event::Notification after_the_loss = event("b", 8);
  after_the_loss.set_lost_track();
  EXPECT_EQ(coalescer.add(std::move(after_the_loss), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event("a", 9), at(0ms)), 0U);
  EXPECT_EQ(offsets(*coalescer.take_due(at(0ms))), Offsets{1});
  const auto after_two_missed = coalescer.take_due(at(0ms));
  EXPECT_EQ(offsets(*after_two_missed), Offsets{4});
  EXPECT_EQ(after_two_missed->front()->previous_offset, -1);
  EXPECT_EQ(offsets(*coalescer.take_due(at(0ms))), Offsets{8});
  const auto after_lost_track = coalescer.take_due(at(0ms));
  EXPECT_EQ(offsets(*after_lost_track), Offsets{9}) << "who knows what a missed behind 4";
  EXPECT_EQ(after_lost_track->front()->previous_offset, -1);
}

TEST(CoalescerTest, LetsNoFrameSpanAnEventThatHasNoRoom) {
  Coalescer coalescer{{.held_bytes_max = 3'000}, templates({"all:{source_type}"})};
  EXPECT_EQ(coalescer.add(event("a", 1), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event(std::string(5'000, 'x'), 2), at(0ms)), 2U);
  EXPECT_EQ(coalescer.add(event("a", 3), at(0ms)), 0U);
  const auto frame = coalescer.take_due(at(0ms));
  EXPECT_EQ(offsets(*frame), Offsets{3});
  EXPECT_EQ(frame->missed(), 2U);
}

TEST(CoalescerTest, GivesWhatIsLeftAtAStopWhateverItsAge) {
  Coalescer coalescer{{.linger = 2ms}, templates(kPerSource)};
  EXPECT_EQ(coalescer.add(event("7", 1), at(0ms)), 0U);
  EXPECT_TRUE(coalescer.take_due(base::kNever));
}

TEST(CoalescerTest, ClosesAFullFrameAndOpensAnotherBehindIt) {
  Coalescer coalescer{{.linger = 5ms, .frame_events_max = 2}, templates(kPerSource)};
  EXPECT_EQ(coalescer.add(event("other", 1), at(0ms)), 0U);
  for (int offset = 2; offset <= 6; ++offset) {
    EXPECT_EQ(coalescer.add(event("7", offset), at(1ms)), 0U);
  }
  EXPECT_LE(coalescer.next_due_at(), at(1ms));
  EXPECT_EQ(offsets(*coalescer.take_due(at(1ms))), (Offsets{2, 3})) << "full: it need not linger";
  EXPECT_EQ(offsets(*coalescer.take_due(at(1ms))), (Offsets{4, 5}));
  EXPECT_FALSE(coalescer.take_due(at(1ms)));
  EXPECT_EQ(offsets(*coalescer.take_due(at(5ms))), (Offsets{1}));
  EXPECT_EQ(offsets(*coalescer.take_due(at(6ms))), (Offsets{6}));
}

TEST(CoalescerTest, ClosesAFrameBeforeItsMessageIsTooLong) {
  Coalescer coalescer{{.frame_bytes_max = 300}, templates(kPerSource)};
  for (int offset = 1; offset <= 20; ++offset) {
    EXPECT_EQ(coalescer.add(event("7", offset), at(0ms)), 0U);
  }
  while (const auto frame = coalescer.take_due(at(0ms))) {
    MessageBuffer message;
    frame->render(message);
    EXPECT_LE(message.text().size(), 300U);
    EXPECT_GT(frame->events(), 1U);
  }
}

TEST(CoalescerTest, SendsAnEventThatAloneIsTooLongForAFrame) {
  Coalescer coalescer{{.frame_bytes_max = 100}, templates(kPerSource)};
  EXPECT_EQ(coalescer.add(event(std::string(500, 's'), 1), at(0ms)), 0U);
  EXPECT_EQ(coalescer.take_due(at(0ms))->events(), 1U);
}

TEST(CoalescerTest, DropsTheOldestOfAllBeyondItsBoundAndTellsItsChannel) {
  Coalescer coalescer{{.held_max = 3}, templates(kPerSource)};
  EXPECT_EQ(coalescer.add(event("a", 1), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event("b", 2), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event("a", 3), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event("b", 4), at(0ms)), 1U);  // 1 goes.
  EXPECT_EQ(coalescer.add(event("b", 5), at(0ms)), 1U);  // 2 goes.
  const auto a = coalescer.take_due(at(0ms));
  EXPECT_EQ(offsets(*a), (Offsets{3}));
  EXPECT_EQ(a->missed(), 1U);
  EXPECT_EQ(a->front()->previous_offset, 1);
  const auto b = coalescer.take_due(at(0ms));
  EXPECT_EQ(offsets(*b), (Offsets{4, 5}));
  EXPECT_EQ(b->missed(), 1U);
  EXPECT_EQ(b->front()->previous_offset, 2);
}

TEST(CoalescerTest, TellsAChannelAlsoWhenItsWholeFrameWasDropped) {
  Coalescer coalescer{{.held_max = 2}, templates(kPerSource)};
  for (const auto& [source, offset] :
       std::vector<std::pair<const char*, int>>{{"a", 1}, {"a", 2}, {"b", 3}, {"b", 4}, {"a", 5}}) {
    EXPECT_LE(coalescer.add(event(source, offset), at(0ms)), 1U);
  }
  EXPECT_EQ(offsets(*coalescer.take_due(at(0ms))), (Offsets{4}));
  const auto a = coalescer.take_due(at(0ms));
  EXPECT_EQ(offsets(*a), (Offsets{5}));
  EXPECT_EQ(a->missed(), 2U);
  EXPECT_EQ(a->front()->previous_offset, 2);
}

TEST(CoalescerTest, PassesOnWhatTheQueueDroppedAndThenKnowsNoOffsetBefore) {
  Coalescer coalescer{{}, templates(kPerSource)};
  EXPECT_EQ(coalescer.add(event("a", 1), at(0ms)), 0U);
  EXPECT_EQ(coalescer.take_due(at(0ms))->missed(), 0U);
  EXPECT_EQ(coalescer.add(event("a", 9, 7), at(0ms)), 0U);
  const auto frame = coalescer.take_due(at(0ms));
  EXPECT_EQ(frame->missed(), 7U);
  EXPECT_EQ(frame->front()->previous_offset, -1);
}

TEST(CoalescerTest, TellsOfALostFrameInTheNextOne) {
  Coalescer coalescer{{}, templates(kPerSource)};
  EXPECT_EQ(coalescer.add(event("a", 1), at(0ms)), 0U);
  ChannelRef channel;
  {
    const auto lost = coalescer.take_due(at(0ms));
    channel = ChannelRef::to(lost->channel());
  }
  coalescer.add_missed(channel, 1);
  EXPECT_EQ(coalescer.add(event("a", 2), at(0ms)), 0U);
  const auto next = coalescer.take_due(at(0ms));
  EXPECT_EQ(next->missed(), 1U);
  EXPECT_EQ(next->front()->previous_offset, 1);
}

TEST(CoalescerTest, KeepsToItsBoundInBytes) {
  constexpr std::size_t kBytesMax = 100'000;
  Coalescer coalescer{{.held_bytes_max = kBytesMax}, templates(kPerSource)};
  std::size_t dropped = 0;
  for (int offset = 1; offset <= 50; ++offset) {
    dropped +=
        coalescer.add(event(std::string(10'000, static_cast<char>('A' + offset)), offset), at(0ms));
    EXPECT_LE(coalescer.held_bytes(), kBytesMax);
  }
  EXPECT_GT(coalescer.held(), 2U);
  EXPECT_EQ(coalescer.held() + dropped, 50U);
}

TEST(CoalescerTest, DropsWhatIsLargerThanAllItsRoom) {
  Coalescer coalescer{{.held_bytes_max = 30'000}, templates(kPerSource)};
  EXPECT_EQ(coalescer.add(event("small", 1), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event(std::string(32'000, 's'), 2), at(0ms)), 2U);
  EXPECT_EQ(coalescer.held(), 0U);
  EXPECT_EQ(coalescer.held_bytes(), 0U);
}

TEST(CoalescerTest, PutsAnEventIntoAFrameForEachTemplate) {
  Coalescer coalescer{{}, templates({kPerSource[0], "all:{source_type}"})};
  EXPECT_EQ(coalescer.units(), 2U);
  EXPECT_EQ(coalescer.add(event("a", 1), at(0ms)), 0U);
  EXPECT_EQ(coalescer.add(event("b", 2), at(0ms)), 0U);
  EXPECT_EQ(coalescer.held(), 4U);
  std::map<std::string, Offsets> sent;
  while (const auto frame = coalescer.take_due(at(0ms))) {
    sent[frame->channel().name] = offsets(*frame);
  }
  EXPECT_EQ(sent, (std::map<std::string, Offsets>{
                      {"events:sensor:a", {1}}, {"events:sensor:b", {2}}, {"all:sensor", {1, 2}}}));
}

TEST(CoalescerTest, DropsAllAtTheEndAndSaysHowMany) {
  Coalescer coalescer{{}, templates(kPerSource)};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(coalescer.add(event(std::to_string(i % 3), i), at(0ms)), 0U);
  }
  EXPECT_EQ(coalescer.drop_all(), 10U);
  EXPECT_EQ(coalescer.drop_all(), 0U);
  EXPECT_EQ(coalescer.held_bytes(), 0U);
}

// The same rules in the plainest form: one list of everything that is held.
class NaiveCoalescer {
 public:
  NaiveCoalescer(const Coalescer::Limits& limits, bool two) : limits_(limits), two_(two) {}

  std::size_t add(const std::string& source, std::int64_t offset, std::uint32_t missed,
                  base::TimePoint now) {
    const auto before = last_.find(source);
    const std::int64_t previous = before != last_.end() && missed == 0 ? before->second : -1;
    last_[source] = offset;
    std::size_t dropped = put("events:sensor:" + source, offset, previous, missed, now);
    if (two_) dropped += put("all:sensor", offset, previous, missed, now);
    return dropped;
  }

  struct Sent {
    std::string channel;
    Offsets offsets;
    std::int64_t previous = -1;
    std::uint64_t missed = 0;
  };

  std::optional<Sent> take_due(base::TimePoint now) {
    if (frames_.empty()) return std::nullopt;
    auto chosen = frames_.begin();
    if (chosen->full == 0 && now - chosen->opened_at < linger()) {
      chosen = frames_.end();
      for (auto it = frames_.begin(); it != frames_.end(); ++it) {
        if (it->full != 0 && (chosen == frames_.end() || it->full < chosen->full)) chosen = it;
      }
      if (chosen == frames_.end()) return std::nullopt;
    }
    Sent sent{chosen->channel, {}, chosen->events.front().previous, missed_[chosen->channel]};
    missed_[chosen->channel] = 0;
    for (const Event& event : chosen->events) sent.offsets.push_back(event.offset);
    frames_.erase(chosen);
    return sent;
  }

  std::size_t held() const {
    std::size_t count = 0;
    for (const Frame& frame : frames_) count += frame.events.size();
    return count;
  }

  void add_missed(const std::string& channel, std::uint64_t count) { missed_[channel] += count; }

 private:
  struct Event {
    std::int64_t offset;
    std::int64_t previous;
    std::uint64_t arrival;
  };
  struct Frame {
    std::string channel;
    base::TimePoint opened_at;
    std::uint64_t full = 0;  // When it became full; 0 while it is not.
    std::deque<Event> events;
  };

  base::Duration linger() const {
    return held() > limits_.held_max / 2 ? base::Duration{0} : limits_.linger;
  }

  std::size_t put(const std::string& channel, std::int64_t offset, std::int64_t previous,
                  std::uint32_t missed, base::TimePoint now) {
    missed_[channel] += missed;
    for (Frame& frame : frames_) {
      if (missed > 0 && frame.channel == channel && frame.full == 0) frame.full = arrivals_ + 1;
    }
    std::size_t dropped = 0;
    for (; held() >= limits_.held_max; ++dropped) {
      auto oldest = std::min_element(frames_.begin(), frames_.end(), [](auto& a, auto& b) {
        return a.events.front().arrival < b.events.front().arrival;
      });
      missed_[oldest->channel] += 1;
      oldest->events.pop_front();
      if (oldest->events.empty()) frames_.erase(oldest);
    }
    auto open = std::find_if(frames_.begin(), frames_.end(), [&](const Frame& frame) {
      return frame.channel == channel && frame.full == 0;
    });
    if (open == frames_.end()) {
      open = frames_.insert(frames_.end(), {.channel = channel, .opened_at = now, .events = {}});
    }
    open->events.push_back({offset, previous, ++arrivals_});
    if (open->events.size() >= limits_.frame_events_max) open->full = arrivals_;
    return dropped;
  }

  const Coalescer::Limits limits_;
  const bool two_;
  std::deque<Frame> frames_;
  std::map<std::string, std::int64_t> last_;
  std::map<std::string, std::uint64_t> missed_;
  std::uint64_t arrivals_ = 0;
};

void compare_with_the_naive_one(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  const bool two = random() % 2 == 0;
  Coalescer::Limits limits;
  limits.linger = milliseconds{random() % 3};
  limits.frame_events_max = 1 + random() % 6;
  limits.held_max = 1 + random() % 40;
  const std::size_t sources = 1 + random() % 12;
  const std::uint64_t take_percent = 5 + random() % 60;

  std::vector<std::string> texts = kPerSource;
  if (two) texts.emplace_back("all:{source_type}");
  Coalescer coalescer{limits, templates(texts)};
  NaiveCoalescer naive{limits, two};
  std::uint64_t added = 0;
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;
  std::int64_t offset = 0;
  base::TimePoint now = at(0ms);
  std::map<std::string, std::int64_t> newest_sent;
  for (int step = 0; step < 3'000; ++step) {
    if (random() % 4 == 0) now += milliseconds{1};
    if (random() % 100 >= take_percent) {
      const std::string source = std::to_string(random() % sources);
      const auto missed = static_cast<std::uint32_t>(random() % 20 == 0 ? 1 + random() % 3 : 0);
      offset += 1;
      added += texts.size();
      const std::size_t now_dropped = coalescer.add(event(source, offset, missed), now);
      ASSERT_EQ(now_dropped, naive.add(source, offset, missed, now));
      dropped += now_dropped;
    } else {
      const auto frame = coalescer.take_due(now);
      const auto expected = naive.take_due(now);
      ASSERT_EQ(frame.has_value(), expected.has_value());
      if (!frame) continue;
      const std::string& channel = frame->channel().name;
      ASSERT_EQ(channel, expected->channel);
      ASSERT_EQ(offsets(*frame), expected->offsets);
      ASSERT_EQ(frame->missed(), expected->missed);
      ASSERT_EQ(frame->front()->previous_offset, expected->previous);
      ASSERT_GT(expected->offsets.front(), newest_sent[channel]) << "order per channel";
      newest_sent[channel] = expected->offsets.back();
      sent += frame->events();
      if (random() % 10 == 0) {
        coalescer.add_missed(ChannelRef::to(frame->channel()), 2);
        naive.add_missed(channel, 2);
      }
    }
    ASSERT_EQ(coalescer.held(), naive.held());
    ASSERT_LE(coalescer.held(), limits.held_max);
    ASSERT_EQ(added, sent + dropped + coalescer.held()) << "nothing is lost uncounted";
  }
  dropped += coalescer.drop_all();
  ASSERT_EQ(added, sent + dropped);
  ASSERT_EQ(coalescer.held_bytes(), 0U);
}

TEST(CoalescerModelTest, DoesWhatTheNaiveOneDoesUnderAnyOperations) {
  for (std::uint64_t seed = 1; seed <= 150 && !::testing::Test::HasFatalFailure(); ++seed) {
    compare_with_the_naive_one(seed);
  }
}

TEST(CoalescerModelTest, KeepsItsBoundsAndItsOrderWhileSourcesAreForgotten) {
  constexpr std::uint64_t kSeed = 42;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937_64 random{kSeed};
  const Coalescer::Limits limits{
      .held_max = 500, .held_bytes_max = 120'000, .sources_remembered_max = 50};
  Coalescer coalescer{limits, templates({kPerSource[0], "all:{source_type}"})};
  std::uint64_t added = 0;
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;
  std::map<std::string, std::int64_t> newest_sent;
  for (std::int64_t offset = 1; offset <= 100'000; ++offset) {
    const std::string source = std::to_string(random() % 1'000);
    dropped += coalescer.add(
        event(random() % 50 == 0 ? std::string(2'000, 'x') + source : source, offset), at(0ms));
    added += 2;
    if (random() % 3 == 0) {
      const auto frame = coalescer.take_due(at(0ms));
      if (!frame) continue;
      std::int64_t& newest = newest_sent[frame->channel().name];
      for (const std::int64_t each : offsets(*frame)) {
        ASSERT_GT(each, newest);
        newest = each;
      }
      sent += frame->events();
    }
    ASSERT_LE(coalescer.held(), limits.held_max);
    ASSERT_LE(coalescer.held_bytes(), limits.held_bytes_max);
    ASSERT_LE(coalescer.memory().sources(), limits.sources_remembered_max);
    ASSERT_EQ(added, sent + dropped + coalescer.held());
  }
  EXPECT_GT(dropped, 0U);
}

}  // namespace
}  // namespace dualstream::redis
