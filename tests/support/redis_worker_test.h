// What tests of the RedisWorker share: a server and its connection as the test wants them, and a
// worker that is stepped by hand, with its ledger checked after every cycle.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "redis/redis_worker.h"

namespace dualstream::redis {

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
  std::vector<nlohmann::json> messages;            // Published and answered with a count, ever.
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
    messages.push_back(nlohmann::json::parse(command[2]));
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
  base::TimePoint now_ = base::TimePoint{} + std::chrono::hours{1};
};

}  // namespace dualstream::redis
