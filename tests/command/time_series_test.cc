#include "load/time_series.h"

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Sum {
  int value = 0;
  void merge(const Sum& other) { value += other.value; }
  void clear() { value = 0; }
};

TEST(TimeSeriesTest, PutsEachMomentInItsInterval) {
  TimeSeries<Sum> series;
  series.at(milliseconds{0}).value += 1;
  series.at(milliseconds{99}).value += 2;
  series.at(milliseconds{100}).value += 4;
  ASSERT_EQ(series.size(), 2U);
  EXPECT_EQ(series[0].value, 3);
  EXPECT_EQ(series[1].value, 4);
}

TEST(TimeSeriesTest, KeepsEverythingInTheSameNumberOfCellsHoweverLongTheRun) {
  TimeSeries<Sum> series;
  constexpr int kSeconds = 1'000;
  for (int second = 0; second < kSeconds; ++second) series.at(seconds{second}).value += second;
  EXPECT_LE(series.size(), TimeSeries<Sum>::kCells);
  EXPECT_EQ(series.interval(), milliseconds{6'400});
  int all = 0;
  for (std::size_t at = 0; at < series.size(); ++at) all += series[at].value;
  EXPECT_EQ(all, kSeconds * (kSeconds - 1) / 2);
  // 0 to 6 s lie in the first 6.4 s.
  EXPECT_EQ(series[0].value, 0 + 1 + 2 + 3 + 4 + 5 + 6);
  EXPECT_EQ(series[1].value, 7 + 8 + 9 + 10 + 11 + 12);
}

TEST(TimeSeriesTest, MergesSeriesOfUnequalIntervals) {
  TimeSeries<Sum> longer;
  longer.at(seconds{0}).value = 1;
  longer.at(seconds{40}).value = 2;
  TimeSeries<Sum> shorter;
  shorter.at(milliseconds{100}).value = 10;
  shorter.at(seconds{1}).value = 20;
  for (const bool shorter_first : {false, true}) {
    TimeSeries<Sum> merged = shorter_first ? shorter : longer;
    merged.merge(shorter_first ? longer : shorter);
    EXPECT_EQ(merged.interval(), milliseconds{200});
    EXPECT_EQ(merged[0].value, 11);
    EXPECT_EQ(merged[5].value, 20);
    EXPECT_EQ(merged[200].value, 2);
    EXPECT_EQ(merged.size(), 201U);
  }
}

}  // namespace
}  // namespace dualstream::command
