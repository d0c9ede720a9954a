#include "event/notification_queue.h"

#include <array>
#include <deque>
#include <map>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::event {
namespace {

Notification notification(const std::string& source_id, std::int64_t offset) {
  const std::string id = std::to_string(offset);
  return Notification{EventView{.id = id,
                                .type = "PushEvent",
                                .source_type = "repo",
                                .source_id = source_id,
                                .payload = "never carried"},
                      3, offset};
}

class NotificationQueueTest : public ::testing::Test {
 protected:
  std::vector<Notification> pop_all(NotificationQueue& queue) {
    std::vector<Notification> all;
    std::array<Notification, 16> some;
    while (const std::size_t count = queue.pop(some)) {
      for (std::size_t i = 0; i < count; ++i) all.push_back(std::move(some[i]));
    }
    return all;
  }

  base::Counters counters_;
  base::Parker parker_;
};

TEST_F(NotificationQueueTest, CarriesTheFourTextsAndThePlaceInKafka) {
  NotificationQueue queue{{}, counters_, parker_};
  queue.push(notification("owner/repo", 1201));
  const auto all = pop_all(queue);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id(), "1201");
  EXPECT_EQ(all[0].type(), "PushEvent");
  EXPECT_EQ(all[0].source_type(), "repo");
  EXPECT_EQ(all[0].source_id(), "owner/repo");
  EXPECT_EQ(all[0].partition(), 3);
  EXPECT_EQ(all[0].offset(), 1201);
}

TEST_F(NotificationQueueTest, CarriesTextsThatAreTooLongForTheObject) {
  NotificationQueue queue{{}, counters_, parker_};
  const std::string source(30'000, 's');
  queue.push(notification(source, 7));
  const auto all = pop_all(queue);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].source_id(), source);
  EXPECT_GE(all[0].bytes(), source.size());
}

TEST_F(NotificationQueueTest, DropsTheOldestWhenFullAndTellsTheSourceAtItsNextOne) {
  NotificationQueue queue{{.notifications_max = 3, .units = 2}, counters_, parker_};
  queue.push(notification("a", 1));
  queue.push(notification("a", 2));
  queue.push(notification("b", 3));
  queue.push(notification("b", 4));  // 1 goes; b has missed nothing.
  queue.push(notification("a", 5));  // 2 goes; this one tells of both.
  EXPECT_EQ(counters_.get(Counter::dropped_overflow), 4U) << "two units each";
  const auto all = pop_all(queue);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].offset(), 3);
  EXPECT_EQ(all[1].offset(), 4);
  EXPECT_EQ(all[1].missed_before(), 0U);
  EXPECT_EQ(all[2].offset(), 5);
  EXPECT_EQ(all[2].missed_before(), 2U);
}

TEST_F(NotificationQueueTest, TellsTheOneThatFollowsTheDroppedOneThoughItWasPushedBefore) {
  NotificationQueue queue{{.notifications_max = 2}, counters_, parker_};
  queue.push(notification("a", 1));
  queue.push(notification("a", 2));
  queue.push(notification("b", 3));  // a's first goes, its second waits already.
  const auto all = pop_all(queue);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].offset(), 2);
  EXPECT_EQ(all[0].missed_before(), 1U);
  EXPECT_EQ(all[1].missed_before(), 0U);
}

TEST_F(NotificationQueueTest, HandsOnWhatADroppedOneWasToTell) {
  NotificationQueue queue{{.notifications_max = 1}, counters_, parker_};
  for (std::int64_t offset = 1; offset <= 4; ++offset) queue.push(notification("a", offset));
  const auto all = pop_all(queue);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].offset(), 4);
  EXPECT_EQ(all[0].missed_before(), 3U);
}

TEST_F(NotificationQueueTest, KeepsToItsBoundInBytes) {
  NotificationQueue queue{{.bytes_max = 100'000}, counters_, parker_};
  const std::string source(30'000, 's');
  for (std::int64_t offset = 1; offset <= 10; ++offset) queue.push(notification(source, offset));
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(counters_.get(Counter::dropped_overflow), 7U);
}

TEST_F(NotificationQueueTest, SaysWhenItNoLongerKnowsWhoMissedSome) {
  NotificationQueue queue{{.notifications_max = 1, .missed_sources_max = 2}, counters_, parker_};
  queue.push(notification("a", 1));
  queue.push(notification("b", 2));
  queue.push(notification("c", 3));
  queue.push(notification("d", 4));  // a and b are remembered; for c there is no room.
  auto all = pop_all(queue);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].lost_track());
  queue.push(notification("b", 5));
  all = pop_all(queue);
  EXPECT_FALSE(all[0].lost_track()) << "said once";
  EXPECT_EQ(all[0].missed_before(), 1U);
}

// What the queue does, in a few lines: two lists and a table.
class NaiveQueue {
 public:
  explicit NaiveQueue(std::size_t most) : most_(most) {}

  void push(const std::string& source, std::int64_t offset) {
    if (waiting_.size() >= most_) {
      missed_[waiting_.front().first] += 1;
      waiting_.pop_front();
      dropped_ += 1;
    }
    waiting_.emplace_back(source, offset);
  }

  struct Popped {
    std::string source;
    std::int64_t offset;
    std::uint32_t missed;
  };
  std::vector<Popped> pop(std::size_t count) {
    std::vector<Popped> all;
    for (; count > 0 && !waiting_.empty(); --count) {
      auto& [source, offset] = waiting_.front();
      all.push_back({source, offset, std::exchange(missed_[source], 0)});
      waiting_.pop_front();
    }
    return all;
  }

  std::size_t size() const { return waiting_.size(); }
  std::uint64_t dropped() const { return dropped_; }

 private:
  const std::size_t most_;
  std::deque<std::pair<std::string, std::int64_t>> waiting_;
  std::map<std::string, std::uint32_t> missed_;
  std::uint64_t dropped_ = 0;
};

void compare_with_the_naive_one(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  const std::size_t most = 1 + random() % 20;
  const std::size_t sources = 1 + random() % 8;
  const std::uint64_t pop_percent = random() % 60;
  base::Counters counters;
  base::Parker parker;
  NotificationQueue queue{{.notifications_max = most, .units = 2}, counters, parker};
  NaiveQueue naive{most};
  std::array<Notification, 5> some;
  for (std::int64_t step = 0; step < 2'000; ++step) {
    if (random() % 100 >= pop_percent) {
      const std::string source = "source-" + std::to_string(random() % sources);
      queue.push(notification(source, step));
      naive.push(source, step);
    } else {
      const std::size_t room = random() % (some.size() + 1);
      const std::size_t count = queue.pop(std::span{some}.first(room));
      const auto expected = naive.pop(room);
      ASSERT_EQ(count, expected.size());
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(some[i].source_id(), expected[i].source);
        ASSERT_EQ(some[i].offset(), expected[i].offset);
        ASSERT_EQ(some[i].missed_before(), expected[i].missed);
      }
    }
    ASSERT_EQ(queue.size(), naive.size());
    ASSERT_EQ(counters.get(Counter::dropped_overflow), 2 * naive.dropped());
  }
}

TEST(NotificationQueueModelTest, DoesWhatTheNaiveOneDoesUnderAnyOperations) {
  for (std::uint64_t seed = 1; seed <= 100 && !::testing::Test::HasFatalFailure(); ++seed) {
    compare_with_the_naive_one(seed);
  }
}

TEST_F(NotificationQueueTest, LosesNothingUncountedWhileBothSidesRun) {
  NotificationQueue queue{{.notifications_max = 64}, counters_, parker_};
  constexpr std::uint64_t kCount = 200'000;
  std::uint64_t popped = 0;
  std::uint64_t told = 0;
  std::int64_t last = 0;
  bool in_order = true;
  std::thread consumer{[&] {
    std::array<Notification, 32> some;
    for (;;) {
      const bool closed = queue.closed();
      const std::size_t count = queue.pop(some);
      for (std::size_t i = 0; i < count; ++i) {
        in_order = in_order && some[i].offset() > last;
        last = some[i].offset();
        told += some[i].missed_before();
      }
      popped += count;
      if (count == 0 && closed) return;
    }
  }};
  for (std::uint64_t i = 1; i <= kCount; ++i) {
    queue.push(notification("a", static_cast<std::int64_t>(i)));
  }
  queue.close();
  consumer.join();
  EXPECT_TRUE(in_order);
  EXPECT_EQ(popped + counters_.get(Counter::dropped_overflow), kCount);
  EXPECT_LE(told, counters_.get(Counter::dropped_overflow));
}

}  // namespace
}  // namespace dualstream::event
