// A Redis that reads its snapshot back: it answers everything with -LOADING but PUBLISH, which it
// takes late.
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/redis_fault_test.h"

namespace dualstream {
namespace {

using std::chrono::seconds;
using testing::BackgroundLoad;
using testing::EngineRun;
using testing::RedisAdmin;
using testing::RedisSubscriber;

class RedisLoadingFaultTest : public testing::RedisFaultTest {
 protected:
  // It reads a snapshot slowly, a key in some 0.1 ms, and looks at its connections in between.
  static void SetUpTestSuite() {
    servers = std::make_unique<testing::Servers>(
        std::vector<std::string>{"--redis-config", "key-load-delay 50", "--redis-config",
                                 "loading-process-events-interval-bytes 1024"});
  }

  static void make_snapshot() {
    RedisAdmin admin{servers->redis_address()};
    admin.reply_to(
        {"EVAL", "for i = 1, 30000 do redis.call('SET', 'key:' .. i, 'value') end", "0"});
    admin.command("SAVE");
  }
};

TEST_F(RedisLoadingFaultTest, R4_LoadingMakesNotificationsLateOrCountedAndHurtsNothing) {
  make_snapshot();
  EngineRun run{options(), events()};
  BackgroundLoad load{run, {.threads = 2, .events = 20, .sources = 40}};
  expect_notified_again(run, seconds{5}, "notified before");
  servers->kill("redis");
  servers->start_without_waiting("redis");
  const std::uint64_t delivered = run.stats()[Counter::delivered];
  // Somebody else sees it loading; we need not be told.
  bool loading = false;
  expect_within(seconds{20}, "the server answers", [&] {
    try {
      RedisAdmin admin{servers->redis_address()};
      const std::string reply = admin.reply_to({"GET", "key:1"});
      loading = loading || reply.find("LOADING") != std::string::npos;
      return reply.find("LOADING") == std::string::npos;
    } catch (const std::runtime_error&) {
      return false;  // It does not listen yet.
    }
  });
  EXPECT_TRUE(loading) << "the snapshot was read too fast to be seen";
  EXPECT_GT(run.stats()[Counter::delivered], delivered) << "Kafka goes on";
  const RedisSubscriber subscriber{servers->redis_address(), subscription()};
  expect_notified_again(run, seconds{5}, "notified again");
  const auto published = load.finish();
  EXPECT_TRUE(run.drained_within(seconds{120}));
  static_cast<void>(run.stop(seconds{20}));
  const Stats stats = run.stats();
  EXPECT_EQ(stats[Counter::delivered], published.accepted);
  EXPECT_TRUE(stats.balances());
  EXPECT_EQ(stats[Counter::dropped_overflow], 0U);
  EXPECT_EQ(stats[Counter::dropped_error], 0U) << "PUBLISH is taken while it loads";
  const auto topic = run.check_topic();
  EXPECT_TRUE(topic.ok()) << topic.text;
  note("unconfirmed", stats[Counter::unconfirmed]);
  note("log lines", run.log_lines().size());
  EXPECT_LT(run.log_lines().size(), 10U);
}

}  // namespace
}  // namespace dualstream
