#include "redis/backoff.h"

#include <vector>

#include <gtest/gtest.h>

namespace dualstream::redis {
namespace {

using namespace std::chrono_literals;

TEST(BackoffTest, GrowsFromATenthOfASecondAndFindsAServerWithinASecond) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Backoff backoff{seed};
    for (const auto expected : {100ms, 200ms, 400ms, 800ms, 800ms, 800ms}) {
      const base::Duration delay = backoff.after_network_failure();
      EXPECT_GE(delay, expected * 9 / 10);
      EXPECT_LE(delay, expected * 11 / 10);
      EXPECT_LE(delay, 900ms);
    }
  }
}

TEST(BackoffTest, AsksAServerThatRefusesAtMostOnceASecond) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Backoff backoff{seed};
    for (const auto expected : {1s, 2s, 4s, 4s, 4s}) {
      const base::Duration delay = backoff.after_refusal();
      EXPECT_GE(delay, expected);
      EXPECT_LE(delay, 5s);
    }
  }
}

TEST(BackoffTest, BeginsAnewAfterAReset) {
  Backoff backoff{1};
  for (int i = 0; i < 5; ++i) {
    (void)backoff.after_network_failure();
    (void)backoff.after_refusal();
  }
  backoff.reset();
  EXPECT_LE(backoff.after_network_failure(), 110ms);
  EXPECT_LE(backoff.after_refusal(), 1'250ms);
}

TEST(BackoffTest, TwoEnginesDoNotComeBackTogether) {
  Backoff one{1};
  Backoff other{2};
  EXPECT_NE(one.after_network_failure(), other.after_network_failure());
}

}  // namespace
}  // namespace dualstream::redis
