#include "kafka/outstanding.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/events.h"

namespace dualstream::kafka {
namespace {

TEST(OutstandingTest, FindsEachReportedEventInOrderOrNot) {
  Outstanding outstanding;
  std::vector<const event::Event*> handed_over;
  for (std::uint64_t tag = 0; tag < 5; ++tag) {
    event::EventPtr event = testing::make_event("s", tag);
    handed_over.push_back(event.get());
    outstanding.add(2, std::move(event));
  }
  EXPECT_EQ(outstanding.size(), 5U);
  EXPECT_EQ(outstanding.take(2, handed_over[0])->tag(), 0U);
  EXPECT_EQ(outstanding.take(2, handed_over[3])->tag(), 3U) << "one that failed alone";
  EXPECT_EQ(outstanding.take(2, handed_over[1])->tag(), 1U);
  event::EventList left = outstanding.take_all(2);
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].tag(), 2U);
  EXPECT_EQ(left[1].tag(), 4U);
  EXPECT_EQ(outstanding.size(), 0U);
}

TEST(OutstandingTest, KeepsPartitionsApart) {
  Outstanding outstanding;
  outstanding.add(0, testing::make_event("s", 1));
  outstanding.add(3, testing::make_event("s", 2));
  EXPECT_EQ(outstanding.partitions(), 4);
  EXPECT_EQ(outstanding.take_all(3).size(), 1U);
  EXPECT_EQ(outstanding.take_all(1).size(), 0U);
  EXPECT_EQ(outstanding.take_all(0).size(), 1U);
}

TEST(OutstandingTest, TakesAWholeListBehindWhatItHas) {
  Outstanding outstanding;
  event::EventList events;
  for (const std::uint64_t tag : {1U, 2U}) events.push_back(testing::make_event("s", tag));
  outstanding.add(1, events);
  EXPECT_TRUE(events.empty());
  for (const std::uint64_t tag : {3U, 4U}) events.push_back(testing::make_event("s", tag));
  outstanding.add(1, events);
  EXPECT_TRUE(events.empty());
  EXPECT_EQ(outstanding.size(), 4U);
  const event::EventList all = outstanding.take_all(1);
  ASSERT_EQ(all.size(), 4U);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].tag(), i + 1);
}

TEST(OutstandingModelTest, DoesWhatAListAPartitionDoesUnderAnyOperations) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    Outstanding outstanding;
    std::map<std::int32_t, std::vector<const event::Event*>> naive;
    std::size_t size = 0;
    for (std::uint64_t step = 0; step < 2'000; ++step) {
      const auto partition = static_cast<std::int32_t>(random() % 5);
      std::vector<const event::Event*>& list = naive[partition];
      if (random() % 100 < 50) {
        event::EventPtr event = testing::make_event("s", step);
        list.push_back(event.get());
        outstanding.add(partition, std::move(event));
        size += 1;
      } else if (random() % 100 < 95 && !list.empty()) {
        const std::size_t at = random() % 4 == 0 ? random() % list.size() : 0;
        ASSERT_EQ(outstanding.take(partition, list[at]).get(), list[at]);
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
        size -= 1;
      } else if (!list.empty()) {
        const event::EventList all = outstanding.take_all(partition);
        ASSERT_EQ(all.size(), list.size());
        for (std::size_t i = 0; i < list.size(); ++i) ASSERT_EQ(&all[i], list[i]);
        size -= list.size();
        list.clear();
      }
      ASSERT_EQ(outstanding.size(), size);
      ASSERT_EQ(outstanding.none_of(partition), list.empty());
    }
  }
}

TEST(OutstandingDeathTest, AReportForAnUnknownEventIsABug) {
  Outstanding outstanding;
  outstanding.add(0, testing::make_event("s", 1));
  const event::EventPtr stranger = testing::make_event("s", 2);
  EXPECT_DEATH(static_cast<void>(outstanding.take(0, stranger.get())),
               "handed over and not reported yet");
}

}  // namespace
}  // namespace dualstream::kafka
