#include "kafka/batcher.h"

#include <array>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/events.h"

namespace dualstream::kafka {
namespace {

using std::chrono::milliseconds;
using testing::at;
using testing::make_event;

std::string tags(Batch& batch) {
  std::string all;
  while (!batch.events.empty()) all += std::to_string(batch.events.pop_front()->tag()) + " ";
  return all;
}

class BatcherTest : public ::testing::Test {
 protected:
  static Batcher with_lanes(const Batcher::Limits& limits, std::vector<std::int32_t> connections) {
    Batcher batcher{limits};
    batcher.set_connections(connections);
    return batcher;
  }

  static void add(Batcher& batcher, std::int32_t lane, std::uint64_t tag,
                  base::Duration taken = {}) {
    batcher.add(lane, make_event("source", tag, "{}", at(taken)));
  }
};

TEST_F(BatcherTest, LetsTheFirstEventGoAtOnceWhenThereIsNoLinger) {
  Batcher batcher = with_lanes({}, {1});
  add(batcher, 0, 7);
  auto batch = batcher.take_ready(at(milliseconds{0}));
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->lane, 0);
  EXPECT_EQ(tags(*batch), "7 ");
  EXPECT_EQ(batcher.outstanding_events(), 1U);
}

TEST_F(BatcherTest, HoldsWhatComesWhileTheLaneIsOutstandingAndThenLetsAllOfItGo) {
  Batcher batcher = with_lanes({}, {1});
  add(batcher, 0, 1);
  ASSERT_TRUE(batcher.take_ready(at({})));
  for (std::uint64_t tag = 2; tag <= 5; ++tag) add(batcher, 0, tag);
  EXPECT_FALSE(batcher.take_ready(at(milliseconds{100})));
  EXPECT_EQ(batcher.next_ready_at(), base::kNever) << "only a report can open the gate";
  batcher.reported(0, 1);
  auto batch = batcher.take_ready(at(milliseconds{100}));
  ASSERT_TRUE(batch);
  EXPECT_EQ(tags(*batch), "2 3 4 5 ");
}

TEST_F(BatcherTest, KnowsWhenNothingCanLeaveWhateverIsAdded) {
  Batcher batcher = with_lanes({.outstanding_per_connection_max = 1}, {1, 1, 2});
  EXPECT_FALSE(batcher.all_gated());
  add(batcher, 0, 1);
  ASSERT_TRUE(batcher.take_ready(at({})));
  EXPECT_FALSE(batcher.all_gated()) << "lane 1 has no free connection, lane 2 has";
  add(batcher, 2, 2);
  ASSERT_TRUE(batcher.take_ready(at({})));
  EXPECT_TRUE(batcher.all_gated());
  batcher.reported(0, 1);
  EXPECT_FALSE(batcher.all_gated());
  EXPECT_FALSE(with_lanes({}, {}).all_gated()) << "of an unknown topic anything may come";
}

TEST_F(BatcherTest, OpensTheGateOnlyWhenEveryEventOfTheBatchIsReported) {
  Batcher batcher = with_lanes({}, {1});
  add(batcher, 0, 1);
  add(batcher, 0, 2);
  ASSERT_TRUE(batcher.take_ready(at({})));
  add(batcher, 0, 3);
  batcher.reported(0, 1);
  EXPECT_FALSE(batcher.take_ready(at({})));
  batcher.reported(0, 1);
  EXPECT_TRUE(batcher.take_ready(at({})));
}

TEST_F(BatcherTest, WaitsForCompanyUntilTheOldestHasLingered) {
  Batcher batcher = with_lanes({.linger = milliseconds{5}}, {1});
  add(batcher, 0, 1, milliseconds{10});
  add(batcher, 0, 2, milliseconds{13});
  EXPECT_FALSE(batcher.take_ready(at(milliseconds{14})));
  EXPECT_EQ(batcher.next_ready_at(), at(milliseconds{15}));
  auto batch = batcher.take_ready(at(milliseconds{15}));
  ASSERT_TRUE(batch);
  EXPECT_EQ(tags(*batch), "1 2 ");
}

TEST_F(BatcherTest, DoesNotLingerWhenTheLaneIsFull) {
  Batcher batcher = with_lanes({.batch_events_max = 3, .linger = milliseconds{5}}, {1});
  for (std::uint64_t tag = 1; tag <= 4; ++tag) add(batcher, 0, tag);
  auto batch = batcher.take_ready(at(milliseconds{0}));
  ASSERT_TRUE(batch);
  EXPECT_EQ(tags(*batch), "1 2 3 ");
}

TEST_F(BatcherTest, KeepsABatchWithinItsBytesAsTheyAreOnTheWire) {
  Batcher batcher = with_lanes({.batch_bytes_max = 300}, {1});
  const std::string payload(100, 'x');
  for (std::uint64_t tag = 1; tag <= 3; ++tag) batcher.add(0, make_event("source", tag, payload));
  auto batch = batcher.take_ready(at({}));
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->wire_bytes, 2 * (100 + 6 + Batcher::kRecordOverheadBytes));
  EXPECT_EQ(tags(*batch), "1 2 ");
}

TEST_F(BatcherTest, LetsAnEventThatIsLargerThanABatchGoAlone) {
  Batcher batcher = with_lanes({.batch_bytes_max = 1024}, {1});
  batcher.add(0, make_event("source", 1, std::string(5000, 'x')));
  add(batcher, 0, 2);
  auto batch = batcher.take_ready(at({}));
  ASSERT_TRUE(batch);
  EXPECT_EQ(tags(*batch), "1 ");
}

TEST_F(BatcherTest, PutsBackToTheFrontInOrder) {
  Batcher batcher = with_lanes({}, {1});
  for (std::uint64_t tag = 1; tag <= 4; ++tag) add(batcher, 0, tag);
  auto batch = batcher.take_ready(at({}));
  ASSERT_TRUE(batch);
  add(batcher, 0, 5);
  static_cast<void>(batch->events.pop_front());  // The client took the first.
  batcher.put_back(std::move(*batch));
  EXPECT_EQ(batcher.outstanding_events(), 1U);
  batcher.reported(0, 1);
  auto again = batcher.take_ready(at({}));
  ASSERT_TRUE(again);
  EXPECT_EQ(tags(*again), "2 3 4 5 ");
}

TEST_F(BatcherTest, KeepsAConnectionToFiveOutstandingLanes) {
  Batcher batcher = with_lanes({}, {1, 1, 1, 1, 1, 1, 2});
  for (std::int32_t lane = 0; lane < 7; ++lane) add(batcher, lane, 1);
  std::map<std::int32_t, int> by_connection;
  while (auto batch = batcher.take_ready(at({}))) by_connection[batch->lane == 6 ? 2 : 1] += 1;
  EXPECT_EQ(by_connection[1], 5);
  EXPECT_EQ(by_connection[2], 1);
  batcher.reported(0, 1);
  auto next = batcher.take_ready(at({}));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->lane, 5);
}

TEST_F(BatcherTest, AccountsAnOutstandingBatchToTheConnectionThatItTook) {
  Batcher batcher = with_lanes({.outstanding_per_connection_max = 1}, {1, 2});
  add(batcher, 0, 1);
  ASSERT_TRUE(batcher.take_ready(at({})));
  batcher.set_connections(std::array<std::int32_t, 2>{2, 2});  // The leader moved meanwhile.
  add(batcher, 1, 2);
  EXPECT_TRUE(batcher.take_ready(at({}))) << "connection 2 has nothing outstanding";
  batcher.reported(0, 1);
  batcher.reported(1, 1);
  add(batcher, 0, 3);
  EXPECT_TRUE(batcher.take_ready(at({})));
}

TEST_F(BatcherTest, GivesLanesTurns) {
  Batcher batcher =
      with_lanes({.batch_events_max = 1, .outstanding_per_connection_max = 1}, {1, 1, 1});
  for (int round = 0; round < 3; ++round) {
    for (std::int32_t lane = 0; lane < 3; ++lane) add(batcher, lane, 1);
  }
  std::string order;
  while (auto batch = batcher.take_ready(at({}))) {
    order += std::to_string(batch->lane);
    batcher.reported(batch->lane, 1);
  }
  EXPECT_EQ(order, "012012012");
}

TEST_F(BatcherTest, ExpiresOnlyWhatWaitsHereForTooLong) {
  Batcher batcher = with_lanes({}, {1, 1});
  add(batcher, 0, 1, milliseconds{0});
  ASSERT_TRUE(batcher.take_ready(at({})));  // 1 is the client's now.
  add(batcher, 0, 2, milliseconds{10});
  add(batcher, 0, 3, milliseconds{20});
  add(batcher, 1, 4, milliseconds{5});
  event::EventList expired = batcher.take_expired(at(milliseconds{10}));
  EXPECT_EQ(expired.size(), 2U);
  EXPECT_EQ(batcher.waiting_events(), 1U);
  batcher.reported(0, 1);
  auto batch = batcher.take_ready(at(milliseconds{20}));
  ASSERT_TRUE(batch);
  EXPECT_EQ(tags(*batch), "3 ");
  EXPECT_FALSE(batcher.take_ready(at(milliseconds{20})));
}

// The naive twin: one deque and one number a lane, every rule written out.
TEST_F(BatcherTest, SendsARefusedBatchAgainInOrderInHalvesUntilAnEventGoesAlone) {
  Batcher batcher = with_lanes({}, {1});
  for (std::uint64_t tag = 1; tag <= 4; ++tag) add(batcher, 0, tag);
  const auto refuse = [&](Batch& batch) {
    const std::size_t count = batch.events.size();
    add(batcher, 0, 9);  // Comes meanwhile, and goes after.
    while (!batch.events.empty()) batcher.send_again_smaller(0, batch.events.pop_front());
    batcher.reported(0, count);
  };
  auto batch = batcher.take_ready(at({}));
  ASSERT_EQ(batch->events.size(), 4U);
  EXPECT_FALSE(batcher.outstanding_alone(0));
  refuse(*batch);
  EXPECT_EQ(batcher.waiting_events(), 5U);
  batch = batcher.take_ready(at({}));
  ASSERT_EQ(batch->events.size(), 2U);
  refuse(*batch);
  batch = batcher.take_ready(at({}));
  EXPECT_TRUE(batcher.outstanding_alone(0));
  EXPECT_EQ(tags(*batch), "1 ");
  batcher.reported(0, 1);
  std::string rest;
  while ((batch = batcher.take_ready(at({})))) {
    const std::size_t count = batch->events.size();
    rest += tags(*batch);
    batcher.reported(0, count);
  }
  EXPECT_EQ(rest, "2 3 4 9 9 ");
  EXPECT_EQ(batcher.outstanding_events(), 0U);
}

TEST_F(BatcherTest, GrowsBatchesAgainUpToTheLimit) {
  Batcher batcher = with_lanes({}, {1});
  const std::size_t one = 6 + 2 + Batcher::kRecordOverheadBytes;
  batcher.limit_batches(8 * one);
  const auto next_size = [&](bool refused) {
    while (batcher.waiting_events() < 20) add(batcher, 0, 1);
    auto batch = batcher.take_ready(at({}));
    const std::size_t size = batch->events.size();
    while (refused && !batch->events.empty())
      batcher.send_again_smaller(0, batch->events.pop_front());
    batcher.reported(0, size);
    return size;
  };
  EXPECT_EQ(next_size(true), 8U);
  EXPECT_EQ(next_size(false), 4U);
  for (int i = 0; i < 20; ++i) next_size(false);
  EXPECT_EQ(next_size(false), 8U);
  batcher.limit_batches(SIZE_MAX);
  EXPECT_EQ(next_size(false), 20U);
}

TEST_F(BatcherTest, GivesUpWhatIsToBeSentAgainToo) {
  Batcher batcher = with_lanes({}, {1});
  add(batcher, 0, 1);
  add(batcher, 0, 2);
  auto batch = batcher.take_ready(at({}));
  batcher.send_again_smaller(0, batch->events.pop_front());
  batcher.reported(0, 1);
  EXPECT_EQ(batcher.take_all().size(), 1U);
  batcher.reported(0, 1);
  EXPECT_EQ(batcher.waiting_events() + batcher.outstanding_events(), 0U);
  EXPECT_FALSE(batcher.take_ready(at({})));
}

TEST_F(BatcherTest, DoesWhatTheNaiveTwinDoesUnderRandomOperations) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  const auto pick = [&](std::uint32_t below) { return random() % below; };
  constexpr std::size_t kLanes = 8;
  constexpr std::size_t kBatchMax = 5;
  Batcher batcher = with_lanes({.batch_events_max = kBatchMax,
                                .linger = milliseconds{3},
                                .outstanding_per_connection_max = 2},
                               {0, 0, 0, 0, 1, 1, 1, 1});
  struct Twin {
    std::deque<std::pair<std::uint64_t, base::TimePoint>> waiting;
    std::size_t outstanding = 0;
  };
  std::array<Twin, kLanes> twins;
  const auto connection_outstanding = [&](std::size_t lane) {
    std::size_t count = 0;
    for (std::size_t i = lane / 4 * 4; i < lane / 4 * 4 + 4; ++i) {
      if (twins[i].outstanding > 0) ++count;
    }
    return count;
  };
  base::TimePoint now = at({});
  std::uint64_t next_tag = 1;
  for (int step = 0; step < 50'000; ++step) {
    now += milliseconds{pick(2)};
    const std::size_t lane = pick(kLanes);
    Twin& twin = twins[lane];
    switch (pick(4)) {
      case 0:
      case 1:
        batcher.add(static_cast<std::int32_t>(lane), make_event("source", next_tag, "{}", now));
        twin.waiting.emplace_back(next_tag++, now);
        break;
      case 2:
        if (twin.outstanding > 0) {
          const std::size_t count = 1 + pick(static_cast<std::uint32_t>(twin.outstanding));
          batcher.reported(static_cast<std::int32_t>(lane), count);
          twin.outstanding -= count;
        }
        break;
      default: {
        const auto may_go = [&](std::size_t i) {
          const Twin& candidate = twins[i];
          return candidate.outstanding == 0 && !candidate.waiting.empty() &&
                 connection_outstanding(i) < 2 &&
                 (candidate.waiting.size() >= kBatchMax ||
                  now - candidate.waiting.front().second >= milliseconds{3});
        };
        auto batch = batcher.take_ready(now);
        if (!batch) {
          for (std::size_t i = 0; i < kLanes; ++i) ASSERT_FALSE(may_go(i)) << i;
          break;
        }
        const auto index = static_cast<std::size_t>(batch->lane);
        ASSERT_TRUE(may_go(index));
        Twin& went = twins[index];
        ASSERT_EQ(batch->events.size(), std::min(kBatchMax, went.waiting.size()));
        went.outstanding = batch->events.size();
        while (!batch->events.empty()) {
          ASSERT_EQ(batch->events.pop_front()->tag(), went.waiting.front().first);
          went.waiting.pop_front();
        }
      }
    }
    std::size_t waiting = 0;
    std::size_t outstanding = 0;
    for (const Twin& each : twins) {
      waiting += each.waiting.size();
      outstanding += each.outstanding;
    }
    ASSERT_EQ(batcher.waiting_events(), waiting);
    ASSERT_EQ(batcher.outstanding_events(), outstanding);
  }
}

// Every way that an event can come back, against a list a lane.
void retry_in_any_way(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  constexpr std::size_t kLanes = 4;
  const Batcher::Limits limits{.batch_events_max = 1 + below(8),
                               .batch_bytes_max = 50 + below(500)};
  Batcher batcher{limits};
  batcher.set_connections(std::vector<std::int32_t>(kLanes, 1));
  struct Twin {
    std::deque<std::uint64_t> waiting;      // By tag, in order.
    std::deque<event::EventPtr> under_way;  // In order.
    std::deque<std::uint64_t> again;        // Refused for their batch; before all that wait.
  };
  std::array<Twin, kLanes> twins;
  std::map<std::uint64_t, base::TimePoint> taken_at;
  const auto end_of_batch = [](Twin& twin) {
    if (!twin.under_way.empty()) return;
    twin.waiting.insert(twin.waiting.begin(), twin.again.begin(), twin.again.end());
    twin.again.clear();
  };
  base::TimePoint now = at({});
  std::uint64_t next_tag = 0;
  for (int step = 0; step < 3'000; ++step) {
    now += milliseconds{1};
    const std::size_t index = below(kLanes);
    const auto lane = static_cast<std::int32_t>(index);
    Twin& twin = twins[index];
    const std::size_t action = below(100);
    if (action < 45) {
      taken_at[next_tag] = now;
      batcher.add(lane, make_event("s", next_tag, std::string(below(60), 'p'), now));
      twin.waiting.push_back(next_tag++);
    } else if (action < 65) {
      auto batch = batcher.take_ready(now);
      if (!batch) continue;
      Twin& went = twins[static_cast<std::size_t>(batch->lane)];
      ASSERT_TRUE(went.under_way.empty()) << "one batch of a lane is under way";
      const std::size_t taken = batch->events.size();
      ASSERT_LE(taken, limits.batch_events_max);
      ASSERT_TRUE(taken == 1 || batch->wire_bytes <= limits.batch_bytes_max);
      // The client takes some of them.
      for (std::size_t left = below(4) == 0 ? below(taken + 1) : taken; left > 0; --left) {
        ASSERT_EQ(batch->events.front().tag(), went.waiting.front()) << "in order";
        went.waiting.pop_front();
        went.under_way.push_back(batch->events.pop_front());
      }
      if (!batch->events.empty()) batcher.put_back(std::move(*batch));
    } else if (action < 95) {
      const bool refused = below(3) == 0;
      std::size_t count = twin.under_way.empty() ? 0 : 1 + below(twin.under_way.size());
      const std::size_t reported = count;
      for (; count > 0; --count) {
        event::EventPtr event = std::move(twin.under_way.front());
        twin.under_way.pop_front();
        if (!refused) continue;
        twin.again.push_back(event->tag());
        batcher.send_again_smaller(lane, std::move(event));
      }
      if (reported > 0) batcher.reported(lane, reported);
      end_of_batch(twin);
    } else {
      const base::TimePoint before = now - milliseconds{below(2'000)};
      event::EventList expired = batcher.take_expired(before);
      for (Twin& each : twins) {
        for (std::deque<std::uint64_t>* list : {&each.again, &each.waiting}) {
          while (!list->empty() && taken_at[list->front()] <= before) {
            ASSERT_FALSE(expired.empty());
            ASSERT_EQ(expired.pop_front()->tag(), list->front());
            list->pop_front();
          }
        }
      }
      ASSERT_TRUE(expired.empty());
    }
    std::size_t waiting = 0;
    std::size_t outstanding = 0;
    for (const Twin& each : twins) {
      waiting += each.waiting.size() + each.again.size();
      outstanding += each.under_way.size();
    }
    ASSERT_EQ(batcher.waiting_events(), waiting);
    ASSERT_EQ(batcher.outstanding_events(), outstanding);
  }
  std::size_t waiting = batcher.waiting_events();
  ASSERT_EQ(batcher.take_all().size(), waiting);
  ASSERT_EQ(batcher.waiting_events(), 0U);
}

TEST(BatcherModelTest, KeepsTheOrderHoweverEventsComeBack) {
  for (std::uint64_t seed = 1; seed <= 100 && !::testing::Test::HasFatalFailure(); ++seed) {
    retry_in_any_way(seed);
  }
}

}  // namespace
}  // namespace dualstream::kafka
