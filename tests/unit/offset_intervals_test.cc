#include "subscriber/offset_intervals.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace dualstream::subscriber {
namespace {

TEST(OffsetIntervalsTest, StretchesThatTouchBecomeOne) {
  OffsetIntervals settled;
  settled.add(10, 20);
  settled.add(30, 40);
  EXPECT_EQ(settled.next_hole(10), 20);
  settled.add(20, 30);
  EXPECT_EQ(settled.next_hole(10), 40);
  EXPECT_EQ(settled.next_hole(9), 9);
  EXPECT_EQ(settled.next_member(0), 10);
  EXPECT_EQ(settled.next_member(15), 15);
  EXPECT_EQ(settled.next_member(40), kOffsetMax);
}

TEST(OffsetIntervalsTest, ForgetsTheLowestButTheFirst) {
  OffsetIntervals settled;
  settled.add(0, 5);
  for (std::int64_t i = 1; i <= static_cast<std::int64_t>(OffsetIntervals::kStretchesMax); ++i) {
    settled.add(i * 10, i * 10 + 5);
  }
  EXPECT_TRUE(settled.contains(0));
  EXPECT_FALSE(settled.contains(10));
  EXPECT_TRUE(settled.contains(20));
}

TEST(OffsetIntervalsTest, AgreesWithASetOfOffsets) {
  std::mt19937_64 random{7};
  for (int round = 0; round < 200; ++round) {
    OffsetIntervals settled;
    std::set<std::int64_t> naive;
    for (int step = 0; step < 12; ++step) {
      const auto from = static_cast<std::int64_t>(random() % 90);
      const auto to = from + static_cast<std::int64_t>(random() % 12) - 1;
      settled.add(from, to);
      for (std::int64_t offset = from; offset < to; ++offset) naive.insert(offset);
      for (std::int64_t offset = 0; offset < 110; ++offset) {
        std::int64_t hole = offset;
        while (naive.contains(hole)) ++hole;
        const auto member = naive.lower_bound(offset);
        ASSERT_EQ(settled.contains(offset), naive.contains(offset));
        ASSERT_EQ(settled.next_hole(offset), hole);
        ASSERT_EQ(settled.next_member(offset), member == naive.end() ? kOffsetMax : *member);
      }
    }
  }
}

}  // namespace
}  // namespace dualstream::subscriber
