#include "load/load_plan.h"

#include <gtest/gtest.h>

#include "option_table.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using Flags = std::vector<std::pair<std::string, std::string>>;

Configuration configured(const Flags& flags) {
  std::vector<GivenFlag> given;
  for (const auto& [name, value] : flags) {
    given.push_back({.option = find_option(name).value(), .values = {value}});
  }
  Configuration configuration;
  const Status status = resolve(given, {}, configuration);
  EXPECT_TRUE(status.ok()) << status.message;
  return configuration;
}

std::string error_of(const Flags& flags) { return check_load(configured(flags)).message; }

LoadPlan planned(const Flags& flags) {
  const Configuration configuration = configured(flags);
  EXPECT_EQ(check_load(configuration).message, "");
  LoadPlan plan;
  const Status status = make_plan(configuration, 1, plan);
  EXPECT_TRUE(status.ok()) << status.message;
  return plan;
}

TEST(LoadPlanTest, IsAnOpenLoopWithARate) {
  const LoadPlan plan = planned({{"rate", "1000"}, {"threads", "2"}, {"warmup", "1s"}});
  EXPECT_EQ(plan.loop, LoadLoop::open);
  ASSERT_EQ(plan.senders.size(), 2U);
  std::uint64_t in_a_second = 0;
  for (const SenderOptions& sender : plan.senders) {
    ASSERT_TRUE(sender.schedule);
    EXPECT_EQ(sender.end, seconds{11});
    EXPECT_EQ(sender.measured_max, UINT64_MAX);
    in_a_second += sender.schedule->count_before(seconds{1});
  }
  EXPECT_NEAR(static_cast<double>(in_a_second), 1'000, 1);
}

TEST(LoadPlanTest, IsAClosedLoopWithALimit) {
  EXPECT_EQ(planned({{"in-flight", "10"}}).loop, LoadLoop::closed);
  EXPECT_EQ(planned({}).loop, LoadLoop::free);
}

TEST(LoadPlanTest, EndsByEventsUnlessADurationIsGivenToo) {
  const LoadPlan by_events = planned({{"events", "1001"}, {"threads", "3"}});
  std::uint64_t all = 0;
  for (const SenderOptions& sender : by_events.senders) {
    EXPECT_EQ(sender.end, nanoseconds::max());
    all += sender.measured_max;
  }
  EXPECT_EQ(all, 1'001U);
  EXPECT_EQ(planned({{"events", "5"}, {"duration", "2s"}}).senders[0].end, seconds{2});
}

TEST(LoadPlanTest, SendsTheWarmUpBesidesTheEvents) {
  const LoadPlan plan = planned({{"events", "10"}, {"rate", "1000"}, {"warmup", "100ms"}});
  EXPECT_EQ(plan.senders[0].sent_max, 110U);
  EXPECT_EQ(plan.senders[0].measured_max, 10U);
  EXPECT_EQ(plan.senders[0].warmup, milliseconds{100});
}

TEST(LoadPlanTest, RefusesWhatDoesNotGoTogether) {
  for (const auto& [flags, words] : std::vector<std::pair<Flags, std::string>>{
           {{{"rate", "0"}}, "--rate is 0"},
           {{{"events", "0"}}, "--events is 0"},
           {{{"duration", "0"}}, "--duration is 0"},
           {{{"in-flight", "0"}}, "--in-flight is 0"},
           {{{"in-flight", "5"}, {"rate", "5"}}, "exclude each other"},
           {{{"ramp", "5s"}}, "--ramp needs a --rate"},
           {{{"size", "63"}}, "--size is 63, and has to be 64"},
           {{{"size", "100"}, {"payload-file", "f"}}, "exclude each other"},
           {{{"sources", "0"}}, "--sources is 0"},
           {{{"sources", "3"}, {"threads", "4"}}, "--threads is more than --sources"},
           {{{"zipf", "11"}}, "--zipf"},
           {{{"subscribe", "true"}}, "--subscribe needs --redis"},
           {{{"verify", "true"}, {"kafka-property", "test.mock.num.brokers=1"}}, "real Kafka"}}) {
    const std::string error = error_of(flags);
    EXPECT_NE(error.find(words), std::string::npos) << words << ": " << error;
  }
  EXPECT_EQ(error_of({}), "");
}

TEST(LoadPlanTest, RefusesMoreEventsThanCanBeToldApart) {
  const Configuration configuration =
      configured({{"verify", "true"}, {"rate", "1000000"}, {"duration", "1h"}});
  LoadPlan plan;
  const Status status = make_plan(configuration, 1, plan);
  EXPECT_NE(status.message.find("--verify can tell 1,073,741,824 events"), std::string::npos)
      << status.message;
}

TEST(LoadPlanTest, TellsItsSettingsWithoutSecrets) {
  Configuration configuration = configured({{"rate", "5"}, {"zipf", "0.8"}});
  configuration.settings.engine.redis.password = "hunter2";
  configuration.settings.engine.redis.address = "redis://me:hunter2@host";
  configuration.settings.engine.kafka.properties = {{"sasl.password", "hunter2"}};
  bool has_zipf = false;
  for (const auto& [name, text] : load_settings(configuration)) {
    EXPECT_EQ(text.find("hunter2"), std::string::npos) << name;
    EXPECT_NE(name, "html");
    has_zipf = has_zipf || (name == "zipf" && text == "0.8");
  }
  EXPECT_TRUE(has_zipf);
}

}  // namespace
}  // namespace dualstream::command
