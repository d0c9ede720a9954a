#include "redis/redis_worker.h"

#include "support/redis_worker_test.h"

namespace dualstream::redis {
namespace {

using namespace std::chrono_literals;

TEST_F(RedisWorkerTest, GreetsAndThenPublishesWhatItIsGiven) {
  start();
  announce("owner/repo", 7);
  settle();
  ASSERT_EQ(server_.commands.size(), 3U);
  EXPECT_EQ(server_.commands[0], (std::vector<std::string>{"CLIENT", "SETNAME", "dualstream"}));
  EXPECT_EQ(server_.commands[1], std::vector<std::string>{"PING"});
  EXPECT_EQ(server_.commands[2][0], "PUBLISH");
  EXPECT_EQ(server_.commands[2][1], "events:repo:owner/repo");
  EXPECT_EQ(server_.messages[0], (nlohmann::json{{"id", "7"},
                                                 {"type", "PushEvent"},
                                                 {"source_id", "owner/repo"},
                                                 {"partition", 0},
                                                 {"offset", 7}}));
  EXPECT_EQ(count(Counter::notified), 1U);
  EXPECT_EQ(count(Counter::frames), 1U);
  EXPECT_EQ(count(Counter::receivers), 2U);
  EXPECT_EQ(count(Counter::redis_connects), 1U);
  EXPECT_TRUE(logged("redis: h:6379: connected"));
}

TEST_F(RedisWorkerTest, WorksInRoundsWhileNotificationsLinger) {
  settings_.coalescing.linger_max = 50ms;
  start();
  settle();
  EXPECT_FALSE(worker_->wake_up().nap_ignores_fd) << "what is fresh goes at once";
  event::Notification notification{
      EventView{.id = "1", .type = "PushEvent", .source_type = "repo", .source_id = "a"}, 0, 1};
  notification.set_age(10ms);
  announced_ += 1;
  queue_->push(std::move(notification));
  worker_->do_work(now_);
  EXPECT_TRUE(worker_->wake_up().nap_ignores_fd);
  EXPECT_EQ(worker_->wake_up().nap, 1ms);
  EXPECT_EQ(worker_->wake_up().at, now_ + 10ms);
  server_.cut();
  settle();
  EXPECT_FALSE(worker_->wake_up().nap_ignores_fd) << "a link that is set up is waited for";
  run_until(now_ + 1s);
}

TEST_F(RedisWorkerTest, SendsWhatFilledUpBetweenRoundsWithTheNextRound) {
  settings_.coalescing.linger = 10ms;
  settings_.coalescing.frame_events_max = 2;
  start();
  settle();
  announce("a", 1);
  run_until(now_ + 10ms);
  ASSERT_EQ(server_.messages.size(), 1U);
  announce("a", 2);
  announce("a", 3);
  settle();
  EXPECT_EQ(server_.messages.size(), 1U);
  EXPECT_EQ(worker_->wake_up().at, now_ + 5ms);
  advance(5ms);
  EXPECT_EQ(server_.messages.size(), 2U);
}

TEST_F(RedisWorkerTest, WaitsForNoRoundWhenItStops) {
  settings_.coalescing.linger = 1h;
  settings_.coalescing.frame_events_max = 2;
  start();
  settle();
  for (std::int64_t offset = 1; offset <= 3; ++offset) announce("a", offset);
  settle();
  announce("a", 4);
  settle();
  EXPECT_EQ(server_.messages.size(), 1U);
  queue_->close();
  settle();
  EXPECT_EQ(server_.messages.size(), 2U);
  EXPECT_TRUE(worker_->finished());
}

TEST_F(RedisWorkerTest, ARoundThatFillsTheWindowGoesOnWithTheReplies) {
  settings_.coalescing.linger = 10ms;
  settings_.coalescing.frame_events_max = 1;
  settings_.window_frames_max = 3;
  start();
  settle();
  server_.holds_replies = true;
  for (std::int64_t offset = 1; offset <= 5; ++offset) announce("a", offset);
  settle();
  ASSERT_EQ(server_.messages.size(), 3U);
  EXPECT_FALSE(worker_->wake_up().nap_ignores_fd);
  server_.release_replies();
  settle();
  EXPECT_EQ(server_.messages.size(), 5U);
}

TEST_F(RedisWorkerTest, MeasuresEachFrameFromItsOldestNotificationToTheAnswer) {
  server_.holds_replies = true;
  start();
  settle();
  for (const base::Duration age : {base::Duration{3ms}, base::Duration{1ms}}) {
    event::Notification notification{
        EventView{.id = "1", .type = "PushEvent", .source_type = "repo", .source_id = "a"}, 0, 1};
    notification.set_made_at(now_ - age);
    announced_ += 1;
    queue_->push(std::move(notification));
  }
  settle();
  now_ += 1ms;
  server_.release_replies();
  settle();
  EXPECT_EQ(count(Counter::notified), 2U);
  EXPECT_EQ(worker_->latencies().count(), 1U) << "both went in one frame";
  EXPECT_EQ(worker_->latencies().sum_ns, 4'000'000U);
}

TEST_F(RedisWorkerTest, TellsHowRedisIsAndWhy) {
  server_.port = FakeServer::Port::closed;
  start();
  EXPECT_EQ(worker_->health().first, RedisHealth::connecting);
  settle();
  EXPECT_EQ(worker_->health(), std::pair(RedisHealth::lost, std::string{"Connection refused"}));
  server_.port = FakeServer::Port::open;
  run_until(now_ + 1s);
  EXPECT_EQ(worker_->health(), std::pair(RedisHealth::up, std::string{}));
}

TEST_F(RedisWorkerTest, PublishesNothingBeforeThePingIsAnswered) {
  server_.hung = true;
  start();
  announce("a", 1);
  settle();
  ASSERT_EQ(server_.commands.size(), 2U);
  EXPECT_EQ(worker_->pending(), 1U);
  EXPECT_EQ(worker_->wake_up().fd, 77);
}

TEST_F(RedisWorkerTest, CoalescesWhileItsWindowIsFull) {
  settings_.window_frames_max = 3;
  server_.holds_replies = true;
  start();
  settle();
  for (int offset = 1; offset <= 3; ++offset) {
    announce("a", offset);
    settle();
  }
  for (int offset = 4; offset <= 20; ++offset) announce("a", offset);
  settle();
  EXPECT_EQ(server_.messages.size(), 3U) << "the window is full";
  server_.release_replies(1);
  settle();
  ASSERT_EQ(server_.messages.size(), 4U);
  EXPECT_EQ(server_.messages[3]["id"], "20");
  EXPECT_EQ(server_.messages[3]["earlier"].size(), 16U);
  EXPECT_EQ(server_.messages[3]["prev"], 3);
  server_.release_replies();
  settle();
  EXPECT_EQ(count(Counter::notified), 20U);
  EXPECT_EQ(count(Counter::frames), 4U);
}

TEST_F(RedisWorkerTest, WaitsForItsLingerWithoutSpinning) {
  settings_.coalescing.linger = 5ms;
  start();
  settle();
  announce("a", 1);
  settle();
  EXPECT_EQ(worker_->wake_up().at, now_ + 5ms);
  announce("a", 2);
  run_until(now_ + 5ms);
  ASSERT_EQ(server_.messages.size(), 1U);
  EXPECT_EQ(server_.messages[0]["earlier"].size(), 1U);
  EXPECT_EQ(worker_->wake_up().at, base::kNever) << "nothing is left to wait for";
}

TEST_F(RedisWorkerTest, PublishesOnceForEachTemplate) {
  use_channels({"events:{source_type}:{source_id}", "all:{source_type}"});
  start();
  announce("a", 1);
  announce("b", 2);
  settle();
  EXPECT_EQ(announced_, 4U);
  EXPECT_EQ(count(Counter::notified), 4U);
  EXPECT_EQ(server_.messages.size(), 3U);
  EXPECT_EQ(std::count(server_.channels.begin(), server_.channels.end(), "all:repo"), 1);
}

TEST_F(RedisWorkerTest, CountsWhatRedisRefusesKeepsTheConnectionAndTellsTheChannel) {
  server_.publish_error = "NOPERM no permission";
  start();
  for (int offset = 1; offset <= 5; ++offset) {
    announce("a", offset);
    settle();
  }
  EXPECT_EQ(count(Counter::dropped_refused), 5U);
  EXPECT_EQ(count(Counter::redis_connects), 1U);
  EXPECT_EQ(server_.connects, 1);
  EXPECT_EQ(lines_.size(), 2U) << "connected, and one for the refusals";
  EXPECT_TRUE(logged("refuses PUBLISH (NOPERM no permission)"));
  server_.publish_error.clear();
  now_ += HealthLog::kQuietFor;
  announce("a", 6);
  settle();
  EXPECT_EQ(server_.messages[0]["missed"], 5);
  EXPECT_EQ(server_.messages[0]["prev"], 5);
  EXPECT_TRUE(logged("PUBLISH works again"));
}

TEST_F(RedisWorkerTest, WritesNoLinePerEventWhenOneChannelOfTwoIsRefused) {
  server_.refused_channel = "events:repo:a";
  start();
  for (int offset = 1; offset <= 200; ++offset) {
    announce(offset % 2 == 0 ? "a" : "b", offset);
    advance(10ms);
  }
  EXPECT_EQ(count(Counter::dropped_refused), 100U);
  EXPECT_EQ(count(Counter::notified), 100U);
  EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(RedisWorkerTest, CountsOtherErrorsApart) {
  server_.publish_error = "BUSY Redis is busy running a script";
  start();
  announce("a", 1);
  settle();
  EXPECT_EQ(count(Counter::dropped_error), 1U);
  EXPECT_EQ(count(Counter::frames), 1U);
  EXPECT_TRUE(logged("answers PUBLISH with an error (BUSY"));
}

TEST_F(RedisWorkerTest, HoldsWhatTheSocketDoesNotTakeAndAsksToBeWoken) {
  settings_.window_frames_max = 1'000;
  start();
  settle();
  server_.socket_is_full = true;
  for (int offset = 1; offset <= 300; ++offset) announce(std::to_string(offset), offset);
  settle();
  EXPECT_TRUE(worker_->wake_up().want_write);
  server_.socket_is_full = false;
  settle();
  EXPECT_EQ(count(Counter::notified), 300U);
}

TEST_F(RedisWorkerTest, StopsAtOnceWhenNothingIsLeft) {
  start();
  announce("a", 1);
  settle();
  EXPECT_FALSE(worker_->finished());
  queue_->close();
  settle();
  EXPECT_TRUE(worker_->finished());
  EXPECT_EQ(count(Counter::notified), 1U);
  EXPECT_EQ(count(Counter::redis_disconnects), 0U);
}

TEST_F(RedisWorkerTest, StopsAtOnceWithoutARedisWhenNothingIsHeld) {
  server_.port = FakeServer::Port::closed;
  start();
  settle();
  queue_->close();
  settle();
  EXPECT_TRUE(worker_->finished());
}

TEST_F(RedisWorkerTest, SendsTheRestAtStopWithoutLinger) {
  settings_.coalescing.linger = 1h;
  start();
  settle();
  for (int offset = 1; offset <= 1'000; ++offset) {
    announce(std::to_string(offset % 10), offset);
  }
  queue_->close();
  settle();
  EXPECT_TRUE(worker_->finished());
  EXPECT_EQ(count(Counter::notified), 1'000U);
}

TEST_F(RedisWorkerTest, DropsWhatIsHeldAndGivesUpWhatIsWrittenAtTheDeadline) {
  settings_.window_frames_max = 4;
  start();
  settle();
  server_.hung = true;
  for (int offset = 1; offset <= 10; ++offset) announce(std::to_string(offset), offset);
  settle();
  queue_->close();
  worker_->stop_by(now_ + 3s);
  settle();
  EXPECT_EQ(worker_->wake_up().at, now_ + 3s);
  EXPECT_FALSE(worker_->finished());
  run_until(now_ + 3s);
  EXPECT_TRUE(worker_->finished());
  EXPECT_EQ(count(Counter::unconfirmed), 4U);
  EXPECT_EQ(count(Counter::dropped_stopped), 6U);
}

TEST_F(RedisWorkerTest, WaitsForARedisThatIsAwayAtStopOnlyAShortWhile) {
  server_.port = FakeServer::Port::closed;
  start();
  announce("a", 1);
  settle();
  queue_->close();
  worker_->stop_by(now_ + 30s);
  const base::TimePoint began = now_;
  run_until(now_ + 30s);
  EXPECT_TRUE(worker_->finished());
  EXPECT_EQ(now_ - began, RedisWorker::kUnreachableGrace);
  EXPECT_EQ(count(Counter::dropped_stopped), 1U);
}

TEST_F(RedisWorkerTest, UsesARedisThatComesBackInThatWhile) {
  server_.port = FakeServer::Port::closed;
  start();
  announce("a", 1);
  settle();
  queue_->close();
  worker_->stop_by(now_ + 30s);
  run_until(now_ + 1s);
  server_.port = FakeServer::Port::open;
  run_until(now_ + 1s);
  EXPECT_TRUE(worker_->finished());
  EXPECT_EQ(count(Counter::notified), 1U);
}

TEST_F(RedisWorkerTest, StopsByItsDeadlineWhenThatComesSooner) {
  server_.port = FakeServer::Port::closed;
  start();
  announce("a", 1);
  settle();
  worker_->stop_by(now_ + 500ms);
  queue_->close();
  run_until(now_ + 500ms);
  EXPECT_TRUE(worker_->finished());
}

}  // namespace
}  // namespace dualstream::redis
