#include "load/source_mix.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

double weight_sum(const SourceShare& share) {
  return std::accumulate(share.weights.begin(), share.weights.end(), 0.0);
}

// How often each source comes in `draws` draws, shared out as a run would.
std::vector<double> frequencies(const SourceMixOptions& options, std::uint64_t draws) {
  std::vector<double> counts(options.sources);
  const std::vector<SourceShare> shares = share_out(options);
  const std::vector<std::uint64_t> quotas = split(draws, shares);
  for (std::size_t thread = 0; thread < shares.size(); ++thread) {
    SourcePicker picker{shares[thread], 1 + thread};
    for (std::uint64_t i = 0; i < quotas[thread]; ++i) counts[picker.pick()] += 1;
  }
  return counts;
}

TEST(SourceMixTest, GivesEachSourceToOneThread) {
  const std::vector<SourceShare> shares = share_out({.sources = 1'000, .zipf = 1.0, .threads = 4});
  ASSERT_EQ(shares.size(), 4U);
  std::set<std::uint32_t> all;
  double whole = 0;
  for (const SourceShare& share : shares) {
    for (const std::uint32_t source : share.sources) EXPECT_TRUE(all.insert(source).second);
    whole += share.share;
    // The heaviest source has 13 % of all, so a quarter each is possible.
    EXPECT_NEAR(share.share, 0.25, 0.001);
  }
  EXPECT_EQ(all.size(), 1'000U);
  EXPECT_NEAR(whole, 1, 1e-9);
}

TEST(SourceMixTest, GivesAThreadMoreWhereOneSourceHasMore) {
  const std::vector<SourceShare> shares = share_out({.sources = 10, .zipf = 3.0, .threads = 2});
  EXPECT_EQ(shares[0].sources, std::vector<std::uint32_t>{0});
  EXPECT_GT(shares[0].share, 0.8);
}

TEST(SourceMixTest, DrawsByZipf) {
  constexpr std::uint64_t kDraws = 200'000;
  for (const double zipf : {0.0, 0.8, 1.0, 1.5}) {
    for (const std::size_t threads : {1U, 3U}) {
      SCOPED_TRACE(zipf);
      const SourceMixOptions options{.sources = 50, .zipf = zipf, .threads = threads};
      const std::vector<double> counts = frequencies(options, kDraws);
      double all = 0;
      for (std::size_t rank = 1; rank <= 50; ++rank) all += 1 / std::pow(rank, zipf);
      for (std::size_t rank = 1; rank <= 50; ++rank) {
        const double expected = kDraws / std::pow(rank, zipf) / all;
        // Five deviations of so many independent draws.
        EXPECT_NEAR(counts[rank - 1], expected, 5 * std::sqrt(expected) + 2) << rank;
      }
    }
  }
}

TEST(SourceMixTest, DrawsTheSameFromTheSameSeed) {
  const SourceShare share = share_out({.sources = 100}).front();
  SourcePicker one{share, 42};
  SourcePicker same{share, 42};
  SourcePicker other{share, 43};
  int different = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::uint32_t source = one.pick();
    EXPECT_EQ(source, same.pick());
    different += source != other.pick() ? 1 : 0;
  }
  EXPECT_GT(different, 500);
}

TEST(SourceMixTest, SplitsWithoutLosingOne) {
  const std::vector<SourceShare> shares = share_out({.sources = 7, .zipf = 1.1, .threads = 3});
  for (const std::uint64_t total : {0U, 1U, 2U, 10U, 999'999U}) {
    const std::vector<std::uint64_t> parts = split(total, shares);
    EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), std::uint64_t{0}), total);
    for (std::size_t at = 0; at < parts.size(); ++at) {
      EXPECT_NEAR(static_cast<double>(parts[at]), static_cast<double>(total) * shares[at].share, 1);
      EXPECT_GT(weight_sum(shares[at]), 0);
    }
  }
}

}  // namespace
}  // namespace dualstream::command
