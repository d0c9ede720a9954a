#include "kafka/outstanding.h"

#include <string>
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

TEST(OutstandingDeathTest, AReportForAnUnknownEventIsABug) {
  Outstanding outstanding;
  outstanding.add(0, testing::make_event("s", 1));
  const event::EventPtr stranger = testing::make_event("s", 2);
  EXPECT_DEATH(static_cast<void>(outstanding.take(0, stranger.get())),
               "handed over and not reported yet");
}

}  // namespace
}  // namespace dualstream::kafka
