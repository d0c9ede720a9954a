// Redis absent, killed, or frozen in mid run: Kafka is unhurt, the ledger holds, and what was lost
// is told.
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/kafka_admin.h"
#include "support/redis_subscriber.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EngineRun;
using testing::eventually;

class RedisAwayFlowTest : public ::testing::Test {
 protected:
  RedisAwayFlowTest() { testing::create_topic(servers_.brokers(), topic_, {.partitions = 4}); }

  Options options() {
    return EngineRun::options(servers_.brokers(), topic_, servers_.redis_address());
  }

  static void expect_kafka_unhurt(EngineRun& run, std::size_t events) {
    EXPECT_EQ(run.stats()[Counter::delivered], events);
    const auto report = run.check_topic();
    EXPECT_TRUE(report.ok()) << report.text;
    EXPECT_EQ(report.records, events);
  }

  testing::Servers servers_;
  const std::string topic_ = testing::unique_name("redis-away");
};

TEST_F(RedisAwayFlowTest, NeverThere) {
  servers_.kill("redis");
  EngineRun run{options()};
  run.publish({.events = 100'000});
  EXPECT_TRUE(run.drained_within(seconds{120}));
  EXPECT_FALSE(run.stop(seconds{3}).ok()) << "notifications were left over";
  expect_kafka_unhurt(run, 100'000);
  EXPECT_EQ(run.stats()[Counter::notified], 0U);
  EXPECT_EQ(run.stats().dropped(), 100'000U);
  EXPECT_EQ(run.log_lines_with("redis"), 1U)
      << "once for the change of state, not for each attempt";
}

TEST_F(RedisAwayFlowTest, KilledInMidRunAndBack) {
  EngineRun run{options()};
  run.publish({.events = 20'000});
  ASSERT_TRUE(run.drained_within(seconds{120}));
  ASSERT_TRUE(
      eventually(seconds{30}, [&] { return run.stats()[Counter::pending_notifications] == 0; }));
  servers_.kill("redis");
  run.publish({.events = 20'000});
  ASSERT_TRUE(run.drained_within(seconds{120})) << "Kafka goes on while Redis is away";
  servers_.start("redis");
  ASSERT_TRUE(eventually(seconds{5}, [&] { return run.stats()[Counter::redis_connects] == 2; }));
  run.publish({.events = 20'000});
  EXPECT_TRUE(run.stop().ok());
  expect_kafka_unhurt(run, 60'000);
  const Stats stats = run.stats();
  EXPECT_EQ(stats[Counter::announced], 60'000U);
  EXPECT_GE(stats[Counter::notified], 40'000U) << "before and after it was away";
  EXPECT_EQ(stats[Counter::redis_disconnects], 1U);
}

TEST_F(RedisAwayFlowTest, FrozenAndThawedTellsEachChannelWhatItMissed) {
  Options few = options();
  few.redis.notifications_max = 2'000;
  few.redis.reply_timeout = milliseconds{1'000};
  const std::string prefix = topic_ + "/s";
  EngineRun run{few, {.source_prefix = prefix}};
  // From before the freeze, so that it sees the first frames after the thaw.
  testing::RedisSubscriber subscriber{servers_.redis_address(),
                                      {.patterns = {"events:repo:" + prefix + "*"}}};
  run.publish({.threads = 1, .events = 1'000, .sources = 20});
  ASSERT_TRUE(
      eventually(seconds{10}, [&] { return run.stats()[Counter::pending_notifications] == 0; }));
  servers_.freeze("redis");
  run.publish({.threads = 1, .events = 20'000, .sources = 20});
  ASSERT_TRUE(run.drained_within(seconds{120})) << "Kafka goes on while Redis is frozen";
  ASSERT_TRUE(eventually(seconds{10}, [&] { return run.stats()[Counter::redis_disconnects] >= 1; }))
      << "a server that does not answer is given up";
  EXPECT_LE(run.stats()[Counter::pending_notifications], 2'000U + 64 * 256U)
      << "bounded: held, and in the window";
  EXPECT_GT(run.stats()[Counter::dropped_overflow], 0U);
  servers_.thaw("redis");
  ASSERT_TRUE(eventually(seconds{10}, [&] { return run.stats()[Counter::redis_connects] >= 2; }));
  run.publish({.threads = 1, .events = 1'000, .sources = 20});
  EXPECT_TRUE(run.stop().ok());
  expect_kafka_unhurt(run, 22'000);

  // Whoever held the newest offset before the freeze sees a `prev` ahead of it, or a count of what
  // was missed.
  const Stats stats = run.stats();
  std::uint64_t told = 0;
  for (const testing::RedisMessage& message : subscriber.messages()) {
    const auto frame = nlohmann::json::parse(message.text);
    told += frame.value("missed", std::uint64_t{0});
  }
  EXPECT_GT(told, 0U);
  // What a connection had told when it was given up is told again on the next one, and a server
  // that was only frozen passes on both.
  EXPECT_LE(told, (stats[Counter::redis_disconnects] + 1) *
                      (stats[Counter::dropped_overflow] + stats[Counter::unconfirmed]));
}

}  // namespace
}  // namespace dualstream
