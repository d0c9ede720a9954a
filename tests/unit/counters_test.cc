#include "base/counters.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace dualstream {
namespace {

TEST(CountersTest, CountsWhatIsAdded) {
  base::Counters counters;
  counters.add(Counter::offered);
  counters.add(Counter::offered, 4);
  EXPECT_EQ(counters.get(Counter::offered), 5U);
  EXPECT_EQ(counters.get(Counter::accepted), 0U);
}

TEST(CountersTest, EveryCounterHasALabelOfItsOwnAndAHelp) {
  std::set<std::string> labels;
  for (const CounterInfo& info : counter_infos()) {
    EXPECT_FALSE(info.help.empty()) << info.label;
    EXPECT_TRUE(labels.insert(std::string{info.label}).second) << info.label;
  }
  EXPECT_EQ(labels.size(), kCounterCount);
}

TEST(CountersTest, EveryReasonHasACounter) {
  for (const Failure failure : {Failure::timed_out, Failure::too_large, Failure::unknown_topic,
                                Failure::unauthorized, Failure::rejected, Failure::stopped}) {
    const CounterInfo& info = counter_infos()[static_cast<std::size_t>(counter_of(failure))];
    EXPECT_EQ(info.label, "failed_" + std::string{name(failure)});
    EXPECT_EQ(info.reason, name(failure));
  }
  for (const PublishResult result : {PublishResult::full, PublishResult::too_large,
                                     PublishResult::invalid, PublishResult::stopping}) {
    const CounterInfo& info = counter_infos()[static_cast<std::size_t>(counter_of(result))];
    EXPECT_EQ(info.label, "refused_" + std::string{name(result)});
    EXPECT_EQ(info.reason, name(result));
  }
}

TEST(StatsTest, BalancesOnlyWhenEveryEquationOfTheLedgerHolds) {
  Stats stats;
  EXPECT_TRUE(stats.balances());
  const auto set = [&stats](Counter counter, std::uint64_t value) {
    stats.values[static_cast<std::size_t>(counter)] = value;
  };
  set(Counter::offered, 10);
  set(Counter::accepted, 8);
  set(Counter::refused_full, 2);
  set(Counter::delivered, 5);
  set(Counter::failed, 1);
  set(Counter::failed_rejected, 1);
  set(Counter::pending, 2);
  set(Counter::announced, 5);
  set(Counter::notified, 3);
  set(Counter::dropped_overflow, 1);
  set(Counter::unconfirmed, 1);
  EXPECT_TRUE(stats.balances());
  for (const Counter lie :
       {Counter::offered, Counter::pending, Counter::announced, Counter::failed_stopped}) {
    Stats forged = stats;
    forged.values[static_cast<std::size_t>(lie)] += 1;
    EXPECT_FALSE(forged.balances());
  }
}

}  // namespace
}  // namespace dualstream
