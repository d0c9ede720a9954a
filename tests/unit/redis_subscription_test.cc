#include "redis/redis_subscription.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/events.h"

namespace dualstream::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::at;

// A server that says what the test says.
class FakeConnection final : public RedisConnection {
 public:
  void connect() override { link = LinkState::open; }
  void close() noexcept override { link = LinkState::closed; }
  [[nodiscard]] LinkState state() override { return link; }
  [[nodiscard]] std::string_view failure() const override { return "cut"; }
  [[nodiscard]] bool has_room() const override { return true; }
  void append(std::span<const std::string_view> command) override {
    std::string& line = sent.emplace_back();
    for (const std::string_view part : command) {
      line.append(line.empty() ? "" : " ").append(part);
    }
  }
  std::size_t flush() override { return 0; }
  [[nodiscard]] std::size_t poll_replies(std::span<Reply> /*out*/) override { return 0; }
  [[nodiscard]] bool receive_into(std::string& bytes) override {
    if (link != LinkState::open || arrived.empty()) return false;
    bytes += std::exchange(arrived, {});
    return true;
  }
  [[nodiscard]] int fd() const override { return -1; }
  [[nodiscard]] bool wants_write() const override { return false; }

  LinkState link = LinkState::closed;
  std::string arrived;
  std::vector<std::string> sent;
};

class RedisSubscriptionTest : public ::testing::Test {
 protected:
  RedisSubscriptionTest() {
    auto connection = std::make_unique<FakeConnection>();
    server_ = connection.get();
    subscription_ = std::make_unique<RedisSubscription>(
        RedisSubscription::Settings{
            .address_text = "there", .username = "me", .password = "secret"},
        std::move(connection), log_);
  }

  // Lets it work, and returns the messages that it brought: "channel=text".
  std::string work(base::Duration time, std::string_view arrived = {}) {
    server_->arrived += arrived;
    subscription_->do_work(at(time));
    std::string all;
    ChannelMessage message;
    while (subscription_->next(at(time), message)) {
      all.append(message.pattern).append(message.channel).append("=").append(message.text);
    }
    subscription_->do_work(at(time));
    return all;
  }
  void listen(base::Duration time) {
    work(time, "+OK\r\n+PONG\r\n");
    work(time, "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
  }

  std::vector<std::string> lines_;
  base::Log log_{[this](const LogLine& line) { lines_.push_back(text_of(line)); }};
  FakeConnection* server_ = nullptr;
  std::unique_ptr<RedisSubscription> subscription_;
};

TEST_F(RedisSubscriptionTest, LogsInSubscribesAndBringsMessages) {
  const Topic topic{.is_pattern = false, .name = "a"};
  subscription_->add(topic);
  listen(seconds{1});
  EXPECT_EQ(server_->sent, (std::vector<std::string>{"AUTH me secret", "PING", "SUBSCRIBE a"}));
  EXPECT_TRUE(subscription_->confirmed(topic));
  EXPECT_EQ(work(seconds{1}, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"), "a=hi");
  subscription_->remove(topic);
  EXPECT_EQ(server_->sent.back(), "UNSUBSCRIBE a");
}

TEST_F(RedisSubscriptionTest, SubscribesAgainAfterABreakAndCountsIt) {
  const Topic topic{.is_pattern = false, .name = "a"};
  subscription_->add(topic);
  listen(seconds{1});
  server_->close();
  work(seconds{2});
  EXPECT_EQ(subscription_->health(), LinkHealth::away);
  EXPECT_EQ(subscription_->breaks(), 1U);
  EXPECT_FALSE(subscription_->confirmed(topic));
  listen(seconds{3});
  EXPECT_TRUE(subscription_->confirmed(topic));
  EXPECT_EQ(subscription_->health(), LinkHealth::ready);
}

TEST_F(RedisSubscriptionTest, AsksWhetherASilentServerLivesAndGivesItUp) {
  listen(seconds{1});
  server_->sent.clear();
  work(milliseconds{1'500});
  EXPECT_TRUE(server_->sent.empty());
  work(seconds{2});
  EXPECT_EQ(server_->sent, (std::vector<std::string>{"PING"}));
  work(milliseconds{2'500}, "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
  work(seconds{7});
  EXPECT_EQ(subscription_->health(), LinkHealth::ready);
  work(milliseconds{7'500});
  EXPECT_EQ(subscription_->health(), LinkHealth::away) << "silent for five seconds";
}

TEST_F(RedisSubscriptionTest, SaysOnceThatItIsNotLetIn) {
  for (int second = 1; second < 20; ++second) work(seconds{second}, "-WRONGPASS no\r\n");
  EXPECT_EQ(subscription_->health(), LinkHealth::refused);
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_NE(lines_[0].find("WRONGPASS"), std::string::npos);
  EXPECT_EQ(lines_[0].find("secret"), std::string::npos);
}

}  // namespace
}  // namespace dualstream::redis
