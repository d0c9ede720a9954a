// What networks do between the engine and Redis: cuts, garbage, slow, trickling, silent and
// resetting links, and a fail-over to another server. Kafka is unhurt, no reply is given to the
// wrong frame, and nothing is sent twice.
#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "support/redis_fault_test.h"
#include "support/relay.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BackgroundLoad;
using testing::EngineRun;
using testing::eventually;
using testing::fault_scale;
using testing::Load;
using testing::RedisSubscriber;
using testing::Relay;
using testing::RelayFaults;
using testing::Servers;

constexpr Load kRound{.threads = 2, .events = 40, .sources = 40};

// "+OK\r\n" to CLIENT SETNAME and "+PONG\r\n"; then ":1\r\n" to each PUBLISH, as there is one
// subscriber.
constexpr std::size_t kGreetingBytes = 12;
constexpr std::size_t kReplyBytes = 4;

class RedisNetworkFaultTest : public testing::RedisFaultTest {
 protected:
  RedisNetworkFaultTest() { relay_.set_upstream(servers->redis_address()); }

  // The engine goes through the relay, subscribers do not.
  [[nodiscard]] Options options() const {
    Options options = RedisFaultTest::options();
    options.redis.address = relay_.address();
    return options;
  }

  // Loads the engine until `broken_enough`, heals the network, and expects it to go on.
  template <typename State>
  void load_until(EngineRun& run, const Load& round, const State& broken_enough) {
    const RedisSubscriber subscriber{servers->redis_address(), subscription()};
    BackgroundLoad load{run, round};
    EXPECT_TRUE(eventually(seconds{30} * static_cast<int>(fault_scale()), broken_enough));
    const std::uint64_t delivered = run.stats()[Counter::delivered];
    EXPECT_TRUE(eventually(seconds{5}, [&] { return run.stats()[Counter::delivered] > delivered; }))
        << "Kafka goes on while Redis is as it is";
    relay_.be_silent(false);
    relay_.heal();
    expect_notified_again(run, seconds{8}, "notified again");
    const auto published = load.finish();
    expect_ledger(run, published.accepted, {&subscriber});
  }

  Relay relay_{testing::fault_seed()};
};

// --- R8: K7 --------------------------------------------------------------------------------------

TEST_F(RedisNetworkFaultTest, R8_CutInMidRequestAndInMidReply) {
  const std::size_t cuts = 30 * fault_scale();
  EngineRun run{options(), events()};
  relay_.set_faults({.requests = {.cut_after = {.min = 1024, .max = 64 * 1024}},
                     .replies = {.cut_after = {.min = 1, .max = 400}},
                     .faults_max = cuts});
  load_until(run, kRound, [&] { return relay_.counts().cuts() == cuts; });
  note("cuts in mid request", relay_.counts().cuts_in_requests);
  note("cuts in mid reply", relay_.counts().cuts_in_replies);
}

TEST_F(RedisNetworkFaultTest, R8_AReplyCutInMidLineIsNoReply) {
  // Ten frames are answered on each connection; of the next answer the end is missing.
  const std::size_t cut_at = kGreetingBytes + 10 * kReplyBytes + 2;
  constexpr std::size_t kCuts = 5;
  relay_.set_faults(
      {.replies = {.cut_after = {.min = cut_at, .max = cut_at}}, .faults_max = kCuts});
  EngineRun run{options(), events()};
  std::uint64_t answered = 0;
  load_until(run, kRound, [&] {
    const Stats stats = run.stats();
    if (stats[Counter::redis_disconnects] < kCuts) answered = stats[Counter::frames];
    return stats[Counter::redis_disconnects] == kCuts;
  });
  EXPECT_LE(answered, 10 * kCuts);
  EXPECT_EQ(run.stats()[Counter::dropped_error], 0U);
}

TEST_F(RedisNetworkFaultTest, R8_GarbageBetweenTheRepliesEndsTheConnection) {
  using std::string_literals::operator""s;
  const std::array garbage = {
      "HTTP/1.1 400 Bad Request\r\n\r\n"s,  // Not Redis.
      "\0\0\0\0\0\0\0\0\r\n"s,
      "\xff\xfe\r\n"s,
      "+OK\r\n"s,  // Not a reply to PUBLISH.
      "*2\r\n:1\r\n:2\r\n"s,
      "*-1\r\n"s,
      "*2147483647\r\n"s,
      "$-1\r\n"s,
      "$3\r\nfoo\r\n"s,
      "$2147483647\r\n"s,
      ":-5\r\n"s,
      ":99999999999999999999\r\n"s,
      ":\r\n"s,
      ":1x\r\n"s,
      "\r\n"s,
      std::string(256 * 1024, 'x'),
  };
  // At the end of a reply, on the connection that there is and on a new one.
  constexpr std::size_t kAt = kGreetingBytes + 3 * kReplyBytes;
  EngineRun run{options(), events()};
  std::size_t sent = 0;
  load_until(run, kRound, [&] {
    for (const std::string& bytes : garbage) {
      EXPECT_TRUE(
          eventually(seconds{5}, [&] { return run.stats()[Counter::redis_connects] == sent + 1; }));
      relay_.set_faults(
          {.garbage = bytes, .garbage_after = {.min = kAt, .max = kAt}, .faults_max = 1});
      sent += 1;
      EXPECT_TRUE(
          eventually(seconds{5}, [&] { return run.stats()[Counter::redis_disconnects] == sent; }))
          << "after " << bytes.substr(0, 30);
    }
    return true;
  });
  EXPECT_EQ(relay_.counts().garbled, garbage.size());
  EXPECT_EQ(run.stats()[Counter::redis_disconnects], garbage.size());
  EXPECT_EQ(run.stats()[Counter::dropped_error], 0U);
}

// --- R8: K8 --------------------------------------------------------------------------------------

TEST_F(RedisNetworkFaultTest, R8_LatencyOf200MsGiveOrTake100) {
  EngineRun run{options(), events()};
  relay_.set_faults({.requests = {.delay = milliseconds{100}, .jitter = milliseconds{50}},
                     .replies = {.delay = milliseconds{100}, .jitter = milliseconds{50}}});
  load_until(run, kRound, [&] { return run.stats()[Counter::notified] >= 20'000 * fault_scale(); });
  EXPECT_EQ(run.stats()[Counter::redis_disconnects], 0U);
  EXPECT_EQ(run.stats()[Counter::notified], run.stats()[Counter::announced]) << "late, not lost";
}

TEST_F(RedisNetworkFaultTest, R8_64KiBASecond) {
  Options impatient = options();
  impatient.redis.reply_timeout = milliseconds{2'000};
  EngineRun run{impatient, events()};
  relay_.set_faults(
      {.requests = {.bytes_per_second = 64 * 1024}, .replies = {.bytes_per_second = 64 * 1024}});
  // What is under way takes longer than the timeout, and replies keep coming.
  load_until(run, {.threads = 2, .events = 20, .sources = 40},
             [&] { return run.stats()[Counter::notified] >= 5'000 * fault_scale(); });
  EXPECT_EQ(run.stats()[Counter::redis_disconnects], 0U);
  EXPECT_EQ(run.stats()[Counter::unconfirmed], 0U) << "late, not lost";
}

TEST_F(RedisNetworkFaultTest, R8_OneByteAtATime) {
  EngineRun run{options(), events()};
  relay_.set_faults({.requests = {.bytes_per_write = 1}, .replies = {.bytes_per_write = 1}});
  load_until(run, kRound, [&] { return run.stats()[Counter::notified] >= 1'000 * fault_scale(); });
}

TEST_F(RedisNetworkFaultTest, R8_SilenceIsGivenUp) {
  Options impatient = options();
  impatient.redis.reply_timeout = milliseconds{1'000};
  EngineRun run{impatient, events()};
  ASSERT_TRUE(eventually(seconds{5}, [&] { return run.stats()[Counter::redis_connects] == 1; }));
  relay_.be_silent(true);
  const std::size_t before = relay_.counts().connections;
  // Each attempt after the first is given up after connect_timeout, a second.
  load_until(run, kRound,
             [&] { return relay_.counts().connections >= before + 2 * fault_scale(); });
  EXPECT_EQ(run.stats()[Counter::redis_disconnects], 1U);
  EXPECT_GT(run.stats()[Counter::unconfirmed], 0U);
}

TEST_F(RedisNetworkFaultTest, R8_TenResetsASecondAndThenNobodyListens) {
  EngineRun run{options(), events()};
  relay_.set_faults({.reset_every = milliseconds{100}});
  load_until(run, kRound, [&] {
    if (relay_.counts().resets < 15 * fault_scale()) return false;
    relay_.refuse_connections(true);
    relay_.reset_connections();
    EXPECT_TRUE(eventually(seconds{5}, [&] {
      return run.stats()[Counter::pending_notifications] > 1'000;
    })) << "held while nobody listens";
    relay_.refuse_connections(false);
    return true;
  });
  EXPECT_LE(run.log_lines_with("redis"), 2 * run.stats()[Counter::redis_connects] + 1);
  note("resets", relay_.counts().resets);
}

// --- R9 ------------------------------------------------------------------------------------------

TEST_F(RedisNetworkFaultTest, R9_FailOverToAnotherServerTellsNothingTwice) {
  const Servers other{{"--no-kafka"}};
  const RedisSubscriber first{servers->redis_address(), subscription()};
  const RedisSubscriber second{other.redis_address(), subscription()};
  EngineRun run{options(), events()};
  BackgroundLoad load{run, {.threads = 2, .events = 400, .sources = 40}};
  ASSERT_TRUE(eventually(seconds{5}, [&] { return run.stats()[Counter::notified] > 20'000; }));
  EXPECT_EQ(second.count(), 0U);
  // As a name or a virtual address does: it leads to the other server, and the first is gone.
  relay_.set_upstream(other.redis_address());
  relay_.reset_connections();
  expect_within(seconds{2}, "connected to the other server",
                [&] { return run.stats()[Counter::redis_connects] == 2; });
  EXPECT_TRUE(eventually(seconds{5}, [&] { return second.count() > 100; }));
  const auto published = load.finish();
  expect_ledger(run, published.accepted, {&first, &second});
  EXPECT_EQ(run.stats()[Counter::redis_disconnects], 1U);
  EXPECT_EQ(run.stats().dropped(), 0U);
}

}  // namespace
}  // namespace dualstream
