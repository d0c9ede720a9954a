#include "redis/redis_worker.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace dualstream::redis {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

// What the other side of the fake connection does.
struct FakeServer {
  enum class Port { open, closed, silent };

  Port port = Port::open;         // silent: a connect gets no answer.
  bool hung = false;              // Takes everything and answers nothing.
  bool holds_replies = false;     // Answers later: release_replies().
  std::string password;           // Required when not empty.
  std::string greets_with_error;  // Unasked, before it closes.
  std::string ping_error;
  std::string publish_error;
  std::string refused_channel;  // This one is answered with NOPERM.
  bool socket_is_full = false;

  int connects = 0;
  std::vector<std::vector<std::string>> commands;  // Of the connection at present.
  std::vector<json> messages;                      // Published and answered with a count, ever.
  std::vector<std::string> channels;               // Of those.
  std::deque<Reply> replies;
  std::deque<Reply> held_replies;
  std::string cut_reason;  // Set: the connection breaks.

  void cut(std::string reason = "Connection reset by peer") { cut_reason = std::move(reason); }
  void release_replies(std::size_t count = SIZE_MAX) {
    for (; count > 0 && !held_replies.empty(); --count) {
      replies.push_back(std::move(held_replies.front()));
      held_replies.pop_front();
    }
  }

  Reply answer(const std::vector<std::string>& command) {
    const auto error = [](std::string text) {
      return Reply{.kind = ReplyKind::error, .text = std::move(text)};
    };
    const auto status = [](std::string text) {
      return Reply{.kind = ReplyKind::status, .text = std::move(text)};
    };
    if (command[0] == "AUTH") {
      return command.back() == password ? status("OK") : error("WRONGPASS invalid password");
    }
    if (!password.empty() && commands.front()[0] != "AUTH") return error("NOAUTH required");
    if (command[0] == "CLIENT") return status("OK");
    if (command[0] == "PING") return ping_error.empty() ? status("PONG") : error(ping_error);
    if (!publish_error.empty()) return error(publish_error);
    if (command[1] == refused_channel) return error("NOPERM no permission for the channel");
    messages.push_back(json::parse(command[2]));
    channels.push_back(command[1]);
    return Reply{.kind = ReplyKind::integer, .integer = 2, .text = {}};
  }
};

class FakeConnection final : public RedisConnection {
 public:
  explicit FakeConnection(FakeServer& server) : server_(server) {}

  void connect() override {
    close();
    server_.connects += 1;
    server_.cut_reason.clear();
    if (server_.port == FakeServer::Port::closed) {
      failure_ = "Connection refused";
      return;
    }
    state_ = server_.port == FakeServer::Port::silent ? LinkState::connecting : LinkState::open;
    if (!server_.greets_with_error.empty()) {
      server_.replies.push_back({.kind = ReplyKind::error, .text = server_.greets_with_error});
      server_.cut("the server closed the connection");
    }
  }

  void close() noexcept override {
    state_ = LinkState::closed;
    unsent_.clear();
    server_.commands.clear();
    server_.replies.clear();
    server_.held_replies.clear();
  }

  LinkState state() override { return state_; }
  std::string_view failure() const override { return failure_; }
  bool has_room() const override { return unsent_.size() < 100; }

  void append(std::span<const std::string_view> command) override {
    unsent_.emplace_back(command.begin(), command.end());
  }

  std::size_t flush() override {
    if (state_ != LinkState::open || server_.socket_is_full) return 0;
    std::vector<std::vector<std::string>> sent = std::exchange(unsent_, {});
    for (std::vector<std::string>& command : sent) {
      server_.commands.push_back(std::move(command));
      if (server_.hung || !server_.greets_with_error.empty()) continue;
      Reply reply = server_.answer(server_.commands.back());
      const bool hold = server_.holds_replies && server_.commands.back()[0] == "PUBLISH";
      (hold ? server_.held_replies : server_.replies).push_back(std::move(reply));
    }
    return sent.size();
  }

  std::size_t poll_replies(std::span<Reply> out) override {
    std::size_t count = 0;
    for (; count < out.size() && !server_.replies.empty(); ++count) {
      out[count] = std::move(server_.replies.front());
      server_.replies.pop_front();
    }
    if (count < out.size() && !server_.cut_reason.empty()) {
      failure_ = server_.cut_reason;
      state_ = LinkState::closed;
    }
    return count;
  }

  int fd() const override { return state_ == LinkState::closed ? -1 : 77; }
  bool wants_write() const override { return !unsent_.empty(); }

 private:
  FakeServer& server_;
  LinkState state_ = LinkState::closed;
  std::string failure_;
  std::vector<std::vector<std::string>> unsent_;
};

class RedisWorkerTest : public ::testing::Test {
 protected:
  RedisWorkerTest() {
    settings_.address_text = "h:6379";
    use_channels({"events:{source_type}:{source_id}"});
  }

  void use_channels(const std::vector<std::string>& texts) {
    ASSERT_TRUE(parse_channel_templates(texts, 64, settings_.templates).ok());
  }

  void start() {
    queue_ = std::make_unique<event::NotificationQueue>(
        event::NotificationQueue::Limits{.units = settings_.templates.size()}, kafka_counters_,
        parker_);
    worker_ = std::make_unique<RedisWorker>(settings_, std::make_unique<FakeConnection>(server_),
                                            *queue_, counters_, log_);
  }

  void announce(const std::string& source_id, std::int64_t offset) {
    const std::string id = std::to_string(offset);
    announced_ += settings_.templates.size();
    queue_->push(event::Notification{
        EventView{.id = id, .type = "PushEvent", .source_type = "repo", .source_id = source_id}, 0,
        offset});
  }

  // One duty cycle, after which the ledger must hold.
  std::size_t step() {
    const std::size_t work = worker_->do_work(now_);
    EXPECT_EQ(announced_,
              settled() + worker_->pending() + queue_->size() * settings_.templates.size());
    return work;
  }

  // Cycles until there is nothing to do at this time.
  void settle() {
    for (int cycle = 0; step() > 0; ++cycle) ASSERT_LT(cycle, 10'000) << "the worker spins";
  }

  void advance(base::Duration by) {
    now_ += by;
    settle();
  }

  // As a thread would: sleeps until the worker wants to be woken, up to `until`.
  void run_until(base::TimePoint until) {
    settle();
    for (int cycle = 0; !worker_->finished(); ++cycle) {
      ASSERT_LT(cycle, 10'000) << "the worker does not sleep";
      const base::TimePoint wake_at = worker_->wake_up().at;
      if (wake_at > until) break;
      ASSERT_GE(wake_at, now_) << "it would wake again at once";
      now_ = wake_at;
      settle();
    }
    if (!worker_->finished()) now_ = until;
  }

  std::uint64_t settled() const {
    return count(Counter::notified) + count(Counter::dropped_overflow) +
           count(Counter::dropped_refused) + count(Counter::dropped_error) +
           count(Counter::dropped_stopped) + count(Counter::unconfirmed);
  }

  std::uint64_t count(Counter counter) const {
    return counters_.get(counter) + kafka_counters_.get(counter);
  }

  bool logged(std::string_view text) const {
    return std::any_of(lines_.begin(), lines_.end(), [text](const std::string& line) {
      return line.find(text) != std::string::npos;
    });
  }

  FakeServer server_;
  RedisWorker::Settings settings_;
  base::Counters kafka_counters_;
  base::Counters counters_;
  base::Parker parker_;
  std::vector<std::string> lines_;
  base::Log log_{[this](const LogLine& line) { lines_.push_back(text_of(line)); }};
  std::unique_ptr<event::NotificationQueue> queue_;
  std::unique_ptr<RedisWorker> worker_;
  std::uint64_t announced_ = 0;
  base::TimePoint now_ = base::TimePoint{} + 1h;
};

TEST_F(RedisWorkerTest, GreetsAndThenPublishesWhatItIsGiven) {
  start();
  announce("owner/repo", 7);
  settle();
  ASSERT_EQ(server_.commands.size(), 3U);
  EXPECT_EQ(server_.commands[0], (std::vector<std::string>{"CLIENT", "SETNAME", "dualstream"}));
  EXPECT_EQ(server_.commands[1], std::vector<std::string>{"PING"});
  EXPECT_EQ(server_.commands[2][0], "PUBLISH");
  EXPECT_EQ(server_.commands[2][1], "events:repo:owner/repo");
  EXPECT_EQ(server_.messages[0], (json{{"id", "7"},
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
