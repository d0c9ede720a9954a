// A Redis that is there and does not do as asked: it pauses, is busy, has no memory, takes no
// writes, does not let us in, or throws us out. Kafka is unhurt and every notification is accounted
// for.
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/redis_fault_test.h"

namespace dualstream {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::BackgroundLoad;
using testing::EngineRun;
using testing::eventually;
using testing::fault_scale;
using testing::Load;
using testing::RedisAdmin;
using testing::RedisSubscriber;

constexpr Load kRound{.threads = 2, .events = 20, .sources = 40};

class RedisRefusingFaultTest : public testing::RedisFaultTest {};

// --- R4: it answers late, or that it is busy -----------------------------------------------------

class RedisPausedFaultTest : public RedisRefusingFaultTest,
                             public ::testing::WithParamInterface<const char*> {};

TEST_P(RedisPausedFaultTest, R4_APauseShorterThanTheReplyTimeoutIsLateAndNothingElse) {
  EngineRun run{options(), events()};
  const RedisSubscriber subscriber{servers->redis_address(), subscription()};
  RedisAdmin admin{servers->redis_address()};
  BackgroundLoad load{run, kRound};
  expect_notified_again(run, seconds{5}, "notified before the pause");
  const std::uint64_t delivered = run.stats()[Counter::delivered];
  admin.command(std::string{"CLIENT PAUSE 3000 "} + GetParam());
  ASSERT_TRUE(eventually(seconds{2}, [&] {
    return run.stats()[Counter::delivered] > delivered + 500;
  })) << "Kafka goes on";
  EXPECT_GT(run.stats()[Counter::pending_notifications], 0U);
  expect_notified_again(run, seconds{5}, "notified again");
  const auto published = load.finish();
  expect_ledger(run, published.accepted, {&subscriber});
  EXPECT_EQ(run.stats()[Counter::notified], published.accepted);
  EXPECT_EQ(run.stats()[Counter::redis_disconnects], 0U);
}

TEST_P(RedisPausedFaultTest, R4_APauseLongerThanTheReplyTimeoutIsCounted) {
  Options impatient = options();
  impatient.redis.reply_timeout = milliseconds{1'000};
  EngineRun run{impatient, events()};
  const RedisSubscriber subscriber{servers->redis_address(), subscription()};
  RedisAdmin admin{servers->redis_address()};
  BackgroundLoad load{run, kRound};
  expect_notified_again(run, seconds{5}, "notified before the pause");
  admin.command(std::string{"CLIENT PAUSE 3000 "} + GetParam());
  expect_within(milliseconds{2'500}, "given up",
                [&] { return run.stats()[Counter::redis_disconnects] > 0; });
  expect_notified_again(run, seconds{6}, "notified again");
  const auto published = load.finish();
  expect_ledger(run, published.accepted, {&subscriber});
  EXPECT_GT(run.stats()[Counter::unconfirmed], 0U);
}

INSTANTIATE_TEST_SUITE_P(R4, RedisPausedFaultTest, ::testing::Values("WRITE", "ALL"),
                         [](const auto& parameter) { return parameter.param; });

TEST_F(RedisRefusingFaultTest, R4_ABusyScriptIsLateAndThenCounted) {
  EngineRun run{options(), events()};
  const RedisSubscriber subscriber{servers->redis_address(), subscription()};
  RedisAdmin{servers->redis_address()}.command("CONFIG SET lua-time-limit 200");
  BackgroundLoad load{run, kRound};
  expect_notified_again(run, seconds{5}, "notified before the script");
  RedisAdmin script{servers->redis_address()};
  script.start({"EVAL", "while true do end", "0"});
  expect_within(seconds{5}, "PUBLISH answered with an error",
                [&] { return run.stats()[Counter::dropped_error] > 100; });
  RedisAdmin{servers->redis_address()}.command("SCRIPT KILL");
  expect_notified_again(run, seconds{5}, "notified again");
  const auto published = load.finish();
  expect_ledger(run, published.accepted, {&subscriber});
  EXPECT_EQ(run.log_lines_with("answers PUBLISH with an error (BUSY"), 1U);
  EXPECT_EQ(run.stats()[Counter::unconfirmed], 0U);
}

// --- R5: it takes no writes, and PUBLISH is none -------------------------------------------------

class RedisTakesNoWritesFaultTest : public RedisRefusingFaultTest {
 protected:
  // The engine finds the server as it is, and every notification goes out.
  void expect_all_notified(const std::string& refused_with,
                           const std::vector<std::string>& command = {"SET", "k", "v"}) {
    const std::string refusal = RedisAdmin{servers->redis_address()}.reply_to(command);
    ASSERT_TRUE(refusal.starts_with("(error) " + refused_with)) << refusal;
    const RedisSubscriber subscriber{servers->redis_address(), subscription()};
    Options roomy = options();
    roomy.redis.notifications_max = 1'000'000;  // All of them, however slow Redis is.
    EngineRun run{roomy, events()};
    const auto published = run.publish({.threads = 4, .events = 20'000 * fault_scale()});
    EXPECT_TRUE(run.drained_within(seconds{120}));
    EXPECT_TRUE(
        eventually(seconds{20}, [&] { return run.stats()[Counter::pending_notifications] == 0; }));
    expect_ledger(run, published.accepted, {&subscriber});
    EXPECT_EQ(run.stats()[Counter::notified], published.accepted);
  }
};

TEST_F(RedisTakesNoWritesFaultTest, R5_OutOfMemory) {
  RedisAdmin{servers->redis_address()}.command("CONFIG SET maxmemory 1");
  expect_all_notified("OOM");
}

TEST_F(RedisTakesNoWritesFaultTest, R5_ReadOnlyReplicaWhoseMasterIsDown) {
  RedisAdmin{servers->redis_address()}.command("REPLICAOF 127.0.0.1 1");
  expect_all_notified("READONLY");
}

TEST_F(RedisTakesNoWritesFaultTest, R5_ReplicaThatServesNothingStale) {
  RedisAdmin admin{servers->redis_address()};
  admin.command("CONFIG SET replica-serve-stale-data no");
  admin.command("REPLICAOF 127.0.0.1 1");
  expect_all_notified("MASTERDOWN", {"GET", "k"});
}

TEST_F(RedisTakesNoWritesFaultTest, R5_SnapshotThatCannotBeWritten) {
  // A folder with something in it stands where the snapshot should go.
  std::filesystem::create_directories(snapshot_path() + "/full");
  RedisAdmin admin{servers->redis_address()};
  admin.reply_to({"CONFIG", "SET", "save", "3600 1"});
  admin.command("BGSAVE");
  ASSERT_TRUE(eventually(seconds{10}, [&] {
    return admin.command("INFO persistence").find("rdb_last_bgsave_status:err") !=
           std::string::npos;
  }));
  expect_all_notified("MISCONF");
}

// --- R6: it does not let us in, or not there -----------------------------------------------------

class RedisKeepsUsOutFaultTest : public RedisRefusingFaultTest {
 protected:
  static constexpr const char* kSecret = "open-sesame";

  // Notifications that PUBLISH refuses are dropped at once, over one connection, with one line in
  // the log; and go out again when the user may.
  void expect_refused_and_counted(const std::string& rights, const std::string& mended) {
    RedisAdmin admin{servers->redis_address()};
    admin.command("ACL SETUSER app on >" + std::string{kSecret} + " " + rights);
    Options as_app = options();
    as_app.redis.username = "app";
    as_app.redis.password = kSecret;
    const RedisSubscriber subscriber{servers->redis_address(), subscription()};
    EngineRun run{as_app, events()};
    BackgroundLoad load{run, kRound};
    expect_within(seconds{5}, "refused and counted",
                  [&] { return run.stats()[Counter::dropped_refused] > 2'000; });
    EXPECT_EQ(run.stats()[Counter::notified], 0U);
    admin.command("ACL SETUSER app " + mended);
    expect_notified_again(run, seconds{5}, "notified when it may");
    const auto published = load.finish();
    expect_ledger(run, published.accepted, {&subscriber});
    EXPECT_EQ(run.stats()[Counter::redis_connects], 1U);
    EXPECT_EQ(run.log_lines_with("refuses PUBLISH (NOPERM"), 1U);
    EXPECT_EQ(run.log_lines_with(kSecret), 0U);
  }
};

TEST_F(RedisKeepsUsOutFaultTest, R6_WrongPassword) {
  RedisAdmin admin{servers->redis_address()};
  admin.command("CONFIG SET requirepass right");
  admin.command("AUTH right");
  Options wrong = options();
  wrong.redis.password = kSecret;
  wrong.redis.notifications_max = 500;
  const std::uint64_t connections = admin.info("total_connections_received");
  EngineRun run{wrong, events()};
  BackgroundLoad load{run, kRound};
  const auto start = steady_clock::now();
  const auto attempts = [&] { return admin.info("total_connections_received") - connections; };
  EXPECT_TRUE(eventually(seconds{10}, [&] { return attempts() >= 3; }));
  // The first comes at once.
  const duration<double> took = steady_clock::now() - start;
  EXPECT_LE(static_cast<double>(attempts() - 1), took.count()) << "at most one a second";
  note("ms for three attempts", static_cast<std::size_t>(took.count() * 1000));
  EXPECT_GT(run.stats()[Counter::dropped_overflow], 1'000U) << "held, and then dropped";
  const auto published = load.finish();
  expect_ledger(run, published.accepted, {});
  EXPECT_EQ(run.stats()[Counter::notified], 0U);
  EXPECT_EQ(run.log_lines_with("redis"), 1U);
  EXPECT_EQ(run.log_lines_with("does not let us in (WRONGPASS"), 1U);
  EXPECT_EQ(run.log_lines_with(kSecret), 0U);
}

TEST_F(RedisKeepsUsOutFaultTest, R6_NoRightToTheChannel) {
  expect_refused_and_counted("resetchannels &other:* +@all", "&events:*");
}

TEST_F(RedisKeepsUsOutFaultTest, R6_NoRightToPublish) {
  expect_refused_and_counted("allchannels -@all +ping +client|setname", "+publish");
}

TEST_F(RedisKeepsUsOutFaultTest, R6_NothingButTheRightToPublishIsEnough) {
  RedisAdmin admin{servers->redis_address()};
  admin.command("ACL SETUSER app on >" + std::string{kSecret} + " &events:* -@all +publish");
  Options as_app = options();
  as_app.redis.username = "app";
  as_app.redis.password = kSecret;
  const RedisSubscriber subscriber{servers->redis_address(), subscription()};
  EngineRun run{as_app, events()};
  const auto published = run.publish({.events = 5'000});
  EXPECT_TRUE(run.drained_within(seconds{120}));
  expect_ledger(run, published.accepted, {&subscriber});
  EXPECT_EQ(run.stats()[Counter::notified], published.accepted);
}

TEST_F(RedisKeepsUsOutFaultTest, R6_MaxClients) {
  const RedisSubscriber subscriber{servers->redis_address(), subscription()};
  RedisAdmin admin{servers->redis_address()};
  admin.command("CONFIG SET maxclients 2");
  EngineRun run{options(), events()};
  BackgroundLoad load{run, kRound};
  const auto start = steady_clock::now();
  EXPECT_TRUE(eventually(seconds{5}, [&] { return admin.info("rejected_connections") >= 2; }));
  EXPECT_GE(steady_clock::now() - start, milliseconds{900}) << "at most one a second";
  EXPECT_EQ(run.log_lines_with("redis"), 1U);
  EXPECT_EQ(run.log_lines_with("does not let us in (ERR max number of clients"), 1U);
  admin.command("CONFIG SET maxclients 1000");
  expect_notified_again(run, seconds{6}, "notified when there is a place");
  const auto published = load.finish();
  expect_ledger(run, published.accepted, {&subscriber});
  EXPECT_EQ(run.stats()[Counter::notified], published.accepted) << "held while it was full";
}

// --- R7: it throws us out ------------------------------------------------------------------------

TEST_F(RedisRefusingFaultTest, R7_KilledConnectionsAreMadeAgainAndNothingIsSentTwice) {
  const RedisSubscriber subscriber{servers->redis_address(), subscription()};
  RedisAdmin admin{servers->redis_address()};
  Options roomy = options();
  roomy.redis.notifications_max = 1'000'000;  // Of all that a slow Redis is late with.
  EngineRun run{roomy, events()};
  BackgroundLoad load{run, {.threads = 2, .events = 100, .sources = 40}};
  for (std::size_t kills = 1; kills <= 10 * fault_scale(); ++kills) {
    expect_notified_again(run, seconds{5}, "notified");
    EXPECT_EQ(admin.command("CLIENT KILL TYPE normal SKIPME yes"), "1");
    expect_within(seconds{2}, "connected again",
                  [&] { return run.stats()[Counter::redis_connects] == kills + 1; });
  }
  expect_notified_again(run, seconds{5}, "notified");
  const auto published = load.finish();
  expect_ledger(run, published.accepted, {&subscriber});
  EXPECT_EQ(run.stats()[Counter::redis_disconnects], 10 * fault_scale());
  EXPECT_EQ(run.stats().dropped(), 0U);
}

}  // namespace
}  // namespace dualstream
