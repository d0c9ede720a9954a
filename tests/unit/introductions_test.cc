// A partition gets to know a client by one acknowledged event.
#include "kafka/introductions.h"

#include <gtest/gtest.h>

#include "support/events.h"

namespace dualstream::kafka {
namespace {

TEST(IntroductionsTest, KnowsAPartitionFromTheFirstAcknowledgementUntilADoubt) {
  Introductions introductions;
  EXPECT_FALSE(introductions.known(3));
  introductions.learn(3);
  EXPECT_TRUE(introductions.known(3));
  EXPECT_FALSE(introductions.known(0));
  introductions.doubt(3);
  EXPECT_FALSE(introductions.known(3));
  introductions.learn(0);
  introductions.learn(3);
  introductions.doubt_all();
  EXPECT_FALSE(introductions.known(0) || introductions.known(3));
}

TEST(IntroductionsTest, KeepsWhatWaitsInOrder) {
  Introductions introductions;
  for (std::uint64_t tag = 0; tag < 6; tag += 2) {
    event::EventList events;
    events.push_back(testing::make_event("s", tag));
    events.push_back(testing::make_event("s", tag + 1));
    introductions.wait_behind(2, std::move(events));
  }
  EXPECT_EQ(introductions.waiting(), 6U);
  event::EventList all = introductions.take_waiting(2);
  EXPECT_EQ(introductions.waiting(), 0U);
  ASSERT_EQ(all.size(), 6U);
  for (std::uint64_t tag = 0; tag < 6; ++tag) EXPECT_EQ(all[tag].tag(), tag);
}

}  // namespace
}  // namespace dualstream::kafka
