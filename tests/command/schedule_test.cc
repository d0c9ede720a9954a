#include "load/schedule.h"

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(ScheduleTest, SpacesEventsEvenly) {
  const Schedule schedule{{.rate = 1'000}};
  EXPECT_EQ(schedule.at(0), nanoseconds{0});
  EXPECT_EQ(schedule.at(1), milliseconds{1});
  EXPECT_EQ(schedule.at(60'000), seconds{60});
  EXPECT_EQ(schedule.count_before(seconds{1}), 1'000U);
  EXPECT_EQ(schedule.count_before(seconds{0}), 0U);
}

TEST(ScheduleTest, HasExactlyAsManyEventsAsARateGivesInWholeSeconds) {
  for (const double rate : {1.0, 3.0, 7.0, 1'000.0, 9'999.0, 10'000.0, 123'457.0}) {
    const Schedule schedule{{.rate = rate}};
    for (const int count : {1, 5, 30, 3'600}) {
      EXPECT_EQ(schedule.count_before(seconds{count}), static_cast<std::uint64_t>(rate * count))
          << rate << " " << count;
    }
  }
}

TEST(ScheduleTest, MovesAThreadByItsPhase) {
  const Schedule schedule{{.rate = 1'000, .phase = 0.25}};
  EXPECT_EQ(schedule.at(0), microseconds{250});
  EXPECT_EQ(schedule.at(1), microseconds{1'250});
  EXPECT_EQ(schedule.count_before(milliseconds{1}), 1U);
  EXPECT_EQ(schedule.count_before(microseconds{250}), 0U);
}

TEST(ScheduleTest, RampsUpEvenly) {
  const Schedule schedule{{.rate = 1'000, .ramp = seconds{10}}};
  // Half of the rate on average while it grows; a quarter of it in the first half.
  EXPECT_NEAR(static_cast<double>(schedule.count_before(seconds{10})), 5'000, 1);
  EXPECT_NEAR(static_cast<double>(schedule.count_before(seconds{5})), 1'250, 1);
  EXPECT_NEAR(static_cast<double>(schedule.count_before(seconds{12})), 7'000, 1);
  nanoseconds before{-1};
  for (std::uint64_t index = 0; index < 8'000; ++index) {
    const nanoseconds at = schedule.at(index);
    EXPECT_GT(at, before) << index;
    before = at;
  }
}

TEST(ScheduleTest, CountsExactlyWhatItPutsBeforeAMoment) {
  for (const double rate : {0.3, 7.0, 333.3, 9'999.9, 1e6}) {
    for (const seconds ramp : {seconds{0}, seconds{3}}) {
      const Schedule schedule{{.rate = rate, .ramp = ramp, .phase = 0.5}};
      for (const std::int64_t ms : {1, 17, 999, 1'000, 2'999, 3'000, 3'001, 60'000}) {
        const milliseconds moment{ms};
        const std::uint64_t count = schedule.count_before(moment);
        EXPECT_GE(schedule.at(count), moment) << rate << " " << ms;
        if (count > 0) {
          EXPECT_LT(schedule.at(count - 1), moment) << rate << " " << ms;
        }
      }
    }
  }
}

}  // namespace
}  // namespace dualstream::command
