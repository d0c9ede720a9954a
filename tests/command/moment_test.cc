#include "moment.h"

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

using std::chrono::system_clock;

std::int64_t ms(std::string_view text) {
  const system_clock::time_point now{std::chrono::hours{24}};
  const auto moment = parse_moment(text, now);
  if (!moment) return -1;
  return std::chrono::duration_cast<std::chrono::milliseconds>(moment->time_since_epoch()).count();
}

TEST(MomentTest, ReadsTimesAndDurations) {
  EXPECT_EQ(ms("1h"), 23 * 3'600'000);
  EXPECT_EQ(ms("1970-01-02"), 86'400'000);
  EXPECT_EQ(ms("1970-01-01T01:02"), 3'720'000);
  EXPECT_EQ(ms("1970-01-01T00:00:01.250Z"), 1'250);
  EXPECT_EQ(ms("2015-01-01 15:00:00Z"), 1'420'124'400'000);
  for (const char* text : {"", "yesterday", "1970-13-01", "1970-02-30", "1970-01-01T24:00",
                           "1970-01-01T00:00:00.1", "1970-01-01T00:00:00+01:00", "1970-1-1"}) {
    EXPECT_EQ(ms(text), -1) << text;
  }
}

TEST(MomentTest, ReadsPlaces) {
  EXPECT_EQ(parse_place("3:1201"), (std::pair<std::int32_t, std::int64_t>{3, 1201}));
  for (const char* text : {"", "3", ":1", "3:", "-1:5", "4294967296:1", "a:b", "1:2:3"}) {
    EXPECT_FALSE(parse_place(text)) << text;
  }
}

}  // namespace
}  // namespace dualstream::command
