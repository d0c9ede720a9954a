#include "nearest.h"

#include <vector>

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

const std::vector<std::string> kKnown{"brokers", "topic", "redis", "redis-password-file",
                                      "queue-bytes"};

TEST(NearestTest, FindsWhatOneSlipAwayIs) {
  EXPECT_EQ(nearest("broker", kKnown), "brokers");    // A letter is missing,
  EXPECT_EQ(nearest("bbrokers", kKnown), "brokers");  // one is too much,
  EXPECT_EQ(nearest("tobic", kKnown), "topic");       // one is wrong,
  EXPECT_EQ(nearest("tpoic", kKnown), "topic");       // two are swapped.
  EXPECT_EQ(nearest("queue_bytes", kKnown), "queue-bytes");
}

TEST(NearestTest, TakesABeginningForTheWhole) {
  EXPECT_EQ(nearest("redis-pass", kKnown), "redis-password-file");
}

TEST(NearestTest, KeepsQuietWhenNothingIsNear) {
  EXPECT_EQ(nearest("frobnicate", kKnown), std::nullopt);
  EXPECT_EQ(nearest("", kKnown), std::nullopt);
  EXPECT_EQ(did_you_mean("frobnicate", kKnown), "");
}

TEST(NearestTest, AsksInOneForm) {
  EXPECT_EQ(did_you_mean("broker", kKnown), "; did you mean `brokers`?");
}

}  // namespace
}  // namespace dualstream::command
