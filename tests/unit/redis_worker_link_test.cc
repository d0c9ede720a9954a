// The RedisWorker and its connection: how it comes about, is refused, breaks and comes back.
#include "support/redis_worker_test.h"

namespace dualstream::redis {
namespace {

using namespace std::chrono_literals;

TEST_F(RedisWorkerTest, BacksOffFromAServerThatIsNotThereAndFindsItWithinASecond) {
  server_.port = FakeServer::Port::closed;
  start();
  announce("a", 1);
  const base::TimePoint began = now_;
  run_until(began + 60s);
  EXPECT_GE(server_.connects, 60);
  EXPECT_LE(server_.connects, 95);
  EXPECT_EQ(lines_.size(), 1U) << "one line for a change of state";
  EXPECT_TRUE(
      logged("h:6379: cannot be reached (Connection refused); notifications are held and "
             "then dropped, oldest first; Kafka is not affected; it is tried again"));
  EXPECT_EQ(worker_->wake_up().fd, -1);
  server_.port = FakeServer::Port::open;
  run_until(now_ + 1s);
  EXPECT_EQ(count(Counter::notified), 1U);
  EXPECT_EQ(lines_.size(), 2U);
  EXPECT_EQ(count(Counter::redis_disconnects), 0U) << "it had never been connected";
}

TEST_F(RedisWorkerTest, GivesUpAConnectThatGetsNoAnswer) {
  server_.port = FakeServer::Port::silent;
  start();
  settle();
  EXPECT_EQ(worker_->wake_up().at, now_ + 1s);
  run_until(now_ + 10s);
  EXPECT_GE(server_.connects, 9);
  EXPECT_LE(server_.connects, 10);
  EXPECT_TRUE(logged("not ready within redis.connect_timeout"));
}

TEST_F(RedisWorkerTest, GivesUpAServerThatAcceptsAndSaysNothing) {
  server_.hung = true;
  start();
  run_until(now_ + 10s);
  EXPECT_EQ(count(Counter::redis_connects), 0U);
  EXPECT_EQ(lines_.size(), 1U);
  server_.hung = false;
  announce("a", 1);
  run_until(now_ + 2'100ms);
  EXPECT_EQ(count(Counter::notified), 1U);
}

TEST_F(RedisWorkerTest, SendsItsCredentialsFirst) {
  server_.password = "hush";
  settings_.username = "sender";
  settings_.password = "hush";
  start();
  announce("a", 1);
  settle();
  EXPECT_EQ(server_.commands[0], (std::vector<std::string>{"AUTH", "sender", "hush"}));
  EXPECT_EQ(count(Counter::notified), 1U);
}

TEST_F(RedisWorkerTest, SendsOnlyAPasswordForTheDefaultUser) {
  server_.password = "hush";
  settings_.password = "hush";
  start();
  settle();
  EXPECT_EQ(server_.commands[0], (std::vector<std::string>{"AUTH", "hush"}));
  EXPECT_EQ(count(Counter::redis_connects), 1U);
}

TEST_F(RedisWorkerTest, AsksAServerThatRefusesItsPasswordSlowlyAndSaysSoOnceWithoutThePassword) {
  server_.password = "hush";
  settings_.password = "wrong-secret";
  start();
  announce("a", 1);
  const base::TimePoint began = now_;
  run_until(began + 60s);
  EXPECT_GE(server_.connects, 12);
  EXPECT_LE(server_.connects, 20);
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_TRUE(logged("does not let us in (WRONGPASS"));
  EXPECT_FALSE(logged("wrong-secret"));
  EXPECT_EQ(worker_->pending(), 1U);
  server_.password = "wrong-secret";
  run_until(now_ + 5s);
  EXPECT_EQ(count(Counter::notified), 1U);
}

TEST_F(RedisWorkerTest, NeverAsksARefusingServerTwiceInASecond) {
  server_.password = "hush";  // And we have none: NOAUTH.
  start();
  int before = 0;
  for (int second = 0; second < 30; ++second) {
    run_until(now_ + 1s);
    EXPECT_LE(server_.connects - before, second == 0 ? 2 : 1);
    before = server_.connects;
  }
  EXPECT_TRUE(logged("NOAUTH"));
}

TEST_F(RedisWorkerTest, TakesMaxClientsForARefusalThoughNobodyAsked) {
  server_.greets_with_error = "ERR max number of clients reached";
  start();
  run_until(now_ + 20s);
  EXPECT_LE(server_.connects, 9);
  EXPECT_TRUE(logged("does not let us in (ERR max number of clients reached)"));
}

TEST_F(RedisWorkerTest, IsReadyForAUserWhoMayOnlyPublish) {
  server_.ping_error = "NOPERM this user has no permissions to run the 'ping' command";
  start();
  announce("a", 1);
  settle();
  EXPECT_EQ(count(Counter::notified), 1U);
}

TEST_F(RedisWorkerTest, PublishesToAServerThatStillLoads) {
  server_.ping_error = "LOADING Redis is loading the dataset in memory";
  start();
  announce("a", 1);
  settle();
  EXPECT_EQ(count(Counter::notified), 1U);
}

TEST_F(RedisWorkerTest, NeverSendsAgainWhatACutConnectionMayHaveDelivered) {
  server_.holds_replies = true;
  start();
  settle();
  announce("a", 1);
  announce("b", 2);
  settle();
  server_.cut();
  settle();
  EXPECT_EQ(count(Counter::unconfirmed), 2U);
  EXPECT_EQ(count(Counter::redis_disconnects), 1U);
  EXPECT_TRUE(logged("the connection was lost (Connection reset by peer)"));
  server_.holds_replies = false;
  announce("a", 3);
  run_until(now_ + 1s);
  ASSERT_EQ(server_.messages.size(), 3U);
  EXPECT_EQ(server_.messages[2]["id"], "3");
  EXPECT_EQ(server_.messages[2]["prev"], 1);
  EXPECT_EQ(server_.messages[2]["missed"], 1) << "it may not have arrived";
  EXPECT_EQ(count(Counter::notified), 1U);
  EXPECT_EQ(count(Counter::redis_connects), 2U);
}

TEST_F(RedisWorkerTest, TakesTheRepliesThatCameBeforeTheCut) {
  server_.holds_replies = true;
  start();
  settle();
  for (int offset = 1; offset <= 3; ++offset) announce(std::to_string(offset), offset);
  settle();
  server_.release_replies(2);
  server_.cut();
  settle();
  EXPECT_EQ(count(Counter::notified), 2U);
  EXPECT_EQ(count(Counter::unconfirmed), 1U);
}

TEST_F(RedisWorkerTest, TellsAgainWhatALostFrameWasToTell) {
  settings_.coalescing.held_max = 1;
  server_.port = FakeServer::Port::closed;
  start();
  for (int offset = 1; offset <= 4; ++offset) announce("a", offset);
  settle();
  server_.port = FakeServer::Port::open;
  server_.holds_replies = true;
  run_until(now_ + 1s);  // Offset 4 goes out and tells of three.
  server_.cut();
  settle();
  server_.holds_replies = false;
  announce("a", 5);
  run_until(now_ + 1s);
  EXPECT_EQ(server_.messages.back()["missed"], 4);
}

TEST_F(RedisWorkerTest, GivesUpAHungServerAndKeepsWhatItHolds) {
  settings_.window_frames_max = 4;
  start();
  settle();
  server_.hung = true;
  for (int offset = 1; offset <= 10; ++offset) announce(std::to_string(offset), offset);
  settle();
  EXPECT_EQ(worker_->pending(), 10U);
  EXPECT_EQ(worker_->wake_up().at, now_ + 5s);
  run_until(now_ + 5s);
  EXPECT_EQ(count(Counter::unconfirmed), 4U);
  EXPECT_EQ(worker_->pending(), 6U);
  EXPECT_TRUE(logged("no reply within redis.reply_timeout"));
  run_until(now_ + 20s);
  server_.hung = false;
  run_until(now_ + 2'100ms);
  EXPECT_EQ(count(Counter::notified), 6U);
}

TEST_F(RedisWorkerTest, KeepsASlowServerAsLongAsRepliesKeepComing) {
  start();
  settle();
  server_.holds_replies = true;
  for (int offset = 1; offset <= 4; ++offset) announce(std::to_string(offset), offset);
  settle();
  run_until(now_ + 4s);
  server_.release_replies(1);
  settle();
  EXPECT_EQ(worker_->wake_up().at, now_ + 5s);
  run_until(now_ + 4s);
  EXPECT_EQ(count(Counter::redis_disconnects), 0U) << "the next one is 8 s old, but not the last";
  run_until(now_ + 1s);
  EXPECT_EQ(count(Counter::redis_disconnects), 1U);
  EXPECT_EQ(count(Counter::notified), 1U);
  EXPECT_EQ(count(Counter::unconfirmed), 3U);
}

TEST_F(RedisWorkerTest, DropsTheOldestWhileRedisIsAwayAndTellsTheirChannels) {
  settings_.coalescing.held_max = 10;
  server_.port = FakeServer::Port::closed;
  start();
  for (int offset = 1; offset <= 100; ++offset) announce(offset % 2 == 0 ? "a" : "b", offset);
  settle();
  EXPECT_EQ(count(Counter::dropped_overflow), 90U);
  EXPECT_EQ(worker_->pending(), 10U);
  server_.port = FakeServer::Port::open;
  run_until(now_ + 1s);
  ASSERT_EQ(server_.messages.size(), 2U);
  EXPECT_EQ(server_.messages[0]["missed"], 45);
  EXPECT_EQ(server_.messages[0]["earlier"].size(), 4U);
  EXPECT_EQ(server_.messages[1]["id"], "100");
  EXPECT_EQ(server_.messages[1]["missed"], 45);
  EXPECT_EQ(server_.messages[1]["prev"], 90);
}

TEST_F(RedisWorkerTest, BreaksOffWhenAReplyCannotBelongToItsCommand) {
  for (const Reply& wrong : {Reply{.kind = ReplyKind::status, .text = "OK"},
                             Reply{.kind = ReplyKind::integer, .integer = -3, .text = {}}}) {
    server_.holds_replies = true;
    start();
    settle();
    const std::uint64_t before = count(Counter::unconfirmed);
    announce("a", 1);
    announce("b", 2);
    settle();
    server_.held_replies.front() = wrong;
    server_.release_replies();
    settle();
    EXPECT_EQ(count(Counter::unconfirmed) - before, 2U) << "the second reply is not trusted";
    EXPECT_EQ(worker_->wake_up().fd, -1);
  }
  EXPECT_TRUE(logged("protocol error: not a reply to PUBLISH"));
}

TEST_F(RedisWorkerTest, TellsOfAFrameWhoseReplyWasNone) {
  start();
  settle();
  server_.holds_replies = true;
  announce("a", 1);
  settle();
  server_.held_replies.front() = {.kind = ReplyKind::status, .integer = 0, .text = "OK"};
  server_.release_replies();
  settle();
  server_.holds_replies = false;
  announce("a", 2);
  advance(2s);
  EXPECT_EQ(server_.messages.back()["missed"], 1);
}

TEST_F(RedisWorkerTest, BreaksOffAtAReplyThatNothingWasAskedFor) {
  start();
  settle();
  server_.replies.push_back({.kind = ReplyKind::integer, .integer = 1, .text = {}});
  settle();
  EXPECT_EQ(count(Counter::redis_disconnects), 1U);
  EXPECT_TRUE(logged("a reply that nothing was asked for"));
}

TEST_F(RedisWorkerTest, BreaksOffWhenSomethingElseThanRedisAnswers) {
  start();
  server_.greets_with_error.clear();
  server_.replies.clear();
  server_.hung = true;
  settle();
  server_.replies.push_back({.kind = ReplyKind::status, .text = "HTTP/1.1 400"});
  settle();
  EXPECT_TRUE(logged("protocol error: not a reply to a greeting"));
  EXPECT_EQ(count(Counter::redis_connects), 0U);
}

}  // namespace
}  // namespace dualstream::redis
