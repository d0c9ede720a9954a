#include "dualstream/latencies.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/histogram.h"

namespace dualstream {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(LatenciesTest, BucketsFollowEachOtherAndAreNarrow) {
  microseconds begin{0};
  for (std::size_t bucket = 0; bucket + 1 < Latencies::kBuckets; ++bucket) {
    const microseconds end = Latencies::bucket_end(bucket);
    ASSERT_GT(end, begin);
    EXPECT_EQ(Latencies::bucket_of(begin + nanoseconds{1}), bucket);
    EXPECT_EQ(Latencies::bucket_of(end), bucket) << "an end belongs to its bucket";
    const microseconds width = end - begin;
    EXPECT_TRUE(width == microseconds{1} || width * 8 <= end) << bucket;
    begin = end;
  }
  EXPECT_EQ(begin, microseconds{1 << 27});
  EXPECT_EQ(Latencies::bucket_of(begin + nanoseconds{1}), Latencies::kBuckets - 1);
}

TEST(LatenciesTest, TakesAnyTime) {
  EXPECT_EQ(Latencies::bucket_of(nanoseconds{0}), 0U);
  EXPECT_EQ(Latencies::bucket_of(seconds{-5}), 0U);
  EXPECT_EQ(Latencies::bucket_of(nanoseconds::max()), Latencies::kBuckets - 1);
}

TEST(LatenciesTest, SaysNothingOfNothing) {
  EXPECT_EQ(Latencies{}.count(), 0U);
  EXPECT_EQ(Latencies{}.quantile(0.99), microseconds{0});
}

TEST(LatenciesTest, WhatIsLongerThanTheLastBoundIsSaidToBeThatLong) {
  base::Histogram histogram;
  histogram.record(std::chrono::hours{1});
  EXPECT_EQ(histogram.read().quantile(0.5), microseconds{1 << 27});
  EXPECT_EQ(histogram.read().count_up_to(microseconds{1 << 27}), 0U);
}

TEST(LatenciesTest, QuantilesAndCountsAreThoseOfASortedListButForAnEighth) {
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random{seed};
  // From a microsecond to some seconds, as many short ones as long ones.
  std::uniform_real_distribution<double> exponent{3, 9.7};
  base::Histogram histogram;
  std::vector<nanoseconds> times;
  std::uint64_t sum = 0;
  for (int i = 0; i < 20'000; ++i) {
    times.emplace_back(static_cast<std::int64_t>(std::pow(10.0, exponent(random))));
    sum += static_cast<std::uint64_t>(times.back().count());
    histogram.record(times.back());
  }
  std::sort(times.begin(), times.end());
  const Latencies latencies = histogram.read();
  EXPECT_EQ(latencies.count(), times.size());
  EXPECT_EQ(latencies.sum_ns, sum);
  for (const double q : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(times.size())));
    const nanoseconds exact = times[rank > 0 ? rank - 1 : 0];
    const nanoseconds said = latencies.quantile(q);
    EXPECT_GE(said, exact) << q;
    EXPECT_LE(static_cast<double>(said.count()), static_cast<double>(exact.count()) * 1.125 + 1000)
        << q;
  }
  for (int bits = 0; bits <= 27; ++bits) {
    const microseconds bound{std::int64_t{1} << bits};
    const auto exact = std::upper_bound(times.begin(), times.end(), nanoseconds{bound});
    EXPECT_EQ(latencies.count_up_to(bound), static_cast<std::uint64_t>(exact - times.begin()));
  }
}

}  // namespace
}  // namespace dualstream
