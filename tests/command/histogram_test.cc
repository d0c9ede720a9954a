#include "load/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

constexpr double kAllShares[] = {0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};

// The smallest value that this share of the sorted values does not exceed.
std::uint64_t exact(const std::vector<std::uint64_t>& sorted, double share) {
  const auto rank =
      static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size()) - 1e-6));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

std::vector<std::uint64_t> latencies(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random{seed};
  std::lognormal_distribution<double> distribution{14, 2.5};
  std::vector<std::uint64_t> values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(static_cast<std::uint64_t>(distribution(random)));
  }
  return values;
}

void expect_like_exact(const Histogram& histogram, std::vector<std::uint64_t> values) {
  std::sort(values.begin(), values.end());
  ASSERT_EQ(histogram.count(), values.size());
  for (const double share : kAllShares) {
    const auto truth = static_cast<double>(exact(values, share));
    const auto told = static_cast<double>(histogram.value_at(share));
    EXPECT_GE(told, truth) << share;
    EXPECT_LE(told, truth * 1.001 + 0.5) << share;
  }
  EXPECT_EQ(histogram.min(), values.front());
  EXPECT_EQ(histogram.max(), values.back());
  EXPECT_EQ(histogram.value_at(1), values.back());
}

TEST(HistogramTest, TellsQuantilesToAThousandth) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    SCOPED_TRACE(seed);
    const std::vector<std::uint64_t> values = latencies(seed, 30'000);
    Histogram histogram;
    for (const std::uint64_t value : values) histogram.record(value);
    expect_like_exact(histogram, values);
  }
}

TEST(HistogramTest, IsExactForSmallValues) {
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (std::uint64_t value = 0; value < 2'048; ++value) {
    values.push_back(value);
    histogram.record(value);
  }
  for (const double share : kAllShares) {
    EXPECT_EQ(histogram.value_at(share), exact(values, share)) << share;
  }
}

TEST(HistogramTest, TellsOfMergedOnesWhatOneWouldHaveTold) {
  const std::vector<std::uint64_t> values = latencies(7, 20'000);
  Histogram whole;
  std::vector<Histogram> parts(3);
  for (std::size_t i = 0; i < values.size(); ++i) {
    whole.record(values[i]);
    // Unlike each other, as those of threads are: an average of their percentiles would be far off.
    parts[values[i] < 1'000'000 ? 0 : 1 + i % 2].record(values[i]);
  }
  Histogram merged;
  for (const Histogram& part : parts) merged.merge(part);
  expect_like_exact(merged, values);
  for (const double share : kAllShares) EXPECT_EQ(merged.value_at(share), whole.value_at(share));
  EXPECT_NEAR(merged.mean(), whole.mean(), whole.mean() * 1e-9);
  EXPECT_DOUBLE_EQ(merged.deviation(), whole.deviation());
}

TEST(HistogramTest, KnowsMeanAndDeviation) {
  Histogram histogram;
  for (const std::uint64_t value : {2U, 4U, 4U, 4U, 5U, 5U, 7U, 9U}) histogram.record(value);
  EXPECT_DOUBLE_EQ(histogram.mean(), 5);
  EXPECT_DOUBLE_EQ(histogram.deviation(), 2);
}

TEST(HistogramTest, HasNeighbouringBucketsWithoutGapOrOverlap) {
  for (const unsigned bits : {Histogram::kThreeDigits, Histogram::kCoarse}) {
    Histogram histogram{bits};
    for (unsigned power = 0; power < 42; ++power) {
      const std::uint64_t value = std::uint64_t{1} << power;
      histogram.record(value);
      histogram.record(value - 1);
    }
    for (const Histogram::Bucket& bucket : histogram.buckets()) {
      EXPECT_LE(bucket.lowest, bucket.highest);
      EXPECT_LE(bucket.highest - bucket.lowest, bucket.lowest >> (bits - 1));
      // A power of two begins a bucket.
      EXPECT_TRUE((bucket.lowest & (bucket.lowest - 1)) == 0 || bucket.count == 1);
    }
  }
}

TEST(HistogramTest, CountsWhatIsTooLargeAsItsLargest) {
  Histogram histogram;
  histogram.record(UINT64_MAX);
  EXPECT_EQ(histogram.max(), Histogram::kValueMax);
  EXPECT_EQ(histogram.value_at(0.5), Histogram::kValueMax);
}

TEST(HistogramTest, TellsNothingOfNothing) {
  Histogram histogram;
  histogram.record(5);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_EQ(histogram.value_at(0.99), 0U);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_TRUE(histogram.buckets().empty());
}

}  // namespace
}  // namespace dualstream::command
