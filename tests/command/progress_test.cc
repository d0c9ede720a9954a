#include "progress.h"

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

TEST(ProgressTest, SaysRateInFlightBadAndLag) {
  const ProgressSample before{.lines = 100, .delivered = 100};
  const ProgressSample now{.lines = 1'400,
                           .bad = 2,
                           .bytes = 500,
                           .bytes_total = 1'000,
                           .delivered = 1'345,
                           .in_flight = 42,
                           .notifications = 12};
  EXPECT_EQ(progress_text(now, before, std::chrono::milliseconds{500}),
            "50%  lines 1,400  in Kafka 1,345 (2,490/s)  in flight 42  bad 2  Redis lags by 12");
}

TEST(ProgressTest, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(progress_text({}, {}, std::chrono::seconds{0}),
            "lines 0  in Kafka 0 (0/s)  in flight 0  bad 0");
}

TEST(ProgressTest, StaysAtTheWholeWhenAFileGrows) {
  const ProgressSample now{.bytes = 2'000, .bytes_total = 1'000};
  EXPECT_TRUE(progress_text(now, {}, std::chrono::seconds{1}).starts_with("100%  "));
}

}  // namespace
}  // namespace dualstream::command
