#include "load/event_mark.h"

#include <string>

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;

TEST(EventMarkTest, ComesBackFromItsTag) {
  const EventMark mark{.since_start = microseconds{123'456'789}, .index = 1'000'000'007};
  const EventMark back = mark_of(tag_of(mark), mark.since_start + minutes{3});
  EXPECT_EQ(back.since_start, mark.since_start);
  EXPECT_EQ(back.index, mark.index);
}

TEST(EventMarkTest, ComesBackAfterItsTimeHasWrapped) {
  for (const int hour : {0, 4, 5, 9, 100}) {
    const EventMark mark{.since_start = hours{hour} + microseconds{5}, .index = 1};
    EXPECT_EQ(mark_of(tag_of(mark), mark.since_start).since_start, mark.since_start);
    EXPECT_EQ(mark_of(tag_of(mark), mark.since_start + hours{4}).since_start, mark.since_start);
  }
}

TEST(EventMarkTest, CountsInMicrosecondsAndNeverInTheFuture) {
  const EventMark mark{.since_start = nanoseconds{1'999}, .index = 0};
  EXPECT_EQ(mark_of(tag_of(mark), nanoseconds{1'999}).since_start, microseconds{1});
}

TEST(EventMarkTest, IsFoundInAnIdOfItsRunOnly) {
  const MarkId id = id_of(0xabcdef01, 0x0123456789abcdef);
  const std::string text{id.data(), id.size()};
  EXPECT_EQ(text, "abcdef010123456789abcdef");
  EXPECT_EQ(tag_in(text, 0xabcdef01), 0x0123456789abcdefU);
  EXPECT_EQ(tag_in(text, 0xabcdef02), std::nullopt);
  EXPECT_EQ(tag_in(text + "0", 0xabcdef01), std::nullopt);
  EXPECT_EQ(tag_in("abcdef010123456789abcdeG", 0xabcdef01), std::nullopt);
  EXPECT_EQ(tag_in("", 0), std::nullopt);
}

}  // namespace
}  // namespace dualstream::command
