#include "redis/hiredis_connection.h"

#include <poll.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "redis_server_process.h"

namespace dualstream::redis {
namespace {

using namespace std::chrono_literals;

class HiredisConnectionTest : public ::testing::Test {
 protected:
  void connect_to(const RedisAddress& address) {
    connection_ = make_hiredis_connection(address);
    connection_->connect();
  }
  void connect_to_port(std::uint16_t port) {
    connect_to(
        {.host = "127.0.0.1", .port = port, .unix_path = {}, .username = {}, .password = {}});
  }

  bool becomes(LinkState state) {
    return eventually([&] {
      pump();
      return connection_->state() == state;
    });
  }

  void send(const std::vector<std::string_view>& command) {
    connection_->append(command);
    connection_->flush();
  }

  void pump() {
    connection_->flush();
    std::array<Reply, 4> some;
    std::size_t count = 0;
    do {
      count = connection_->poll_replies(some);
      for (std::size_t i = 0; i < count; ++i) replies_.push_back(std::move(some[i]));
    } while (count == some.size());
  }

  bool has_replies(std::size_t count) {
    return eventually([&] {
      pump();
      return replies_.size() >= count;
    });
  }

  std::unique_ptr<RedisConnection> connection_;
  std::vector<Reply> replies_;
};

TEST_F(HiredisConnectionTest, PublishesWhatASecondConnectionReceives) {
  RedisServerProcess server;
  PlainClient subscriber{server.port()};
  subscriber.subscribe("events:repo:owner/repo");
  connect_to_port(server.port());
  ASSERT_TRUE(becomes(LinkState::open)) << connection_->failure();
  send({"PUBLISH", "events:repo:owner/repo", "{\"id\":\"1\"}"});
  ASSERT_TRUE(has_replies(1));
  EXPECT_EQ(replies_[0].kind, ReplyKind::integer);
  EXPECT_EQ(replies_[0].integer, 1);
  EXPECT_EQ(subscriber.message(), "{\"id\":\"1\"}");
}

TEST_F(HiredisConnectionTest, SpeaksOverAUnixSocket) {
  RedisServerProcess server;
  connect_to({.host = {}, .unix_path = server.unix_path(), .username = {}, .password = {}});
  ASSERT_TRUE(becomes(LinkState::open)) << connection_->failure();
  send({"PING"});
  ASSERT_TRUE(has_replies(1));
  EXPECT_EQ(replies_[0].kind, ReplyKind::status);
  EXPECT_EQ(replies_[0].text, "PONG");
}

TEST_F(HiredisConnectionTest, ResolvesAName) {
  RedisServerProcess server;
  connect_to({.host = "localhost",
              .port = server.port(),
              .unix_path = {},
              .username = {},
              .password = {}});
  EXPECT_TRUE(becomes(LinkState::open)) << connection_->failure();
}

TEST_F(HiredisConnectionTest, LetsNoValueForgeACommand) {
  RedisServerProcess server;
  connect_to_port(server.port());
  ASSERT_TRUE(becomes(LinkState::open));
  send({"PUBLISH", "c\r\n*1\r\n$8\r\nFLUSHALL\r\n", std::string_view{"\r\n$3\r\n\0:9\r\n", 11}});
  send({"PUBLISH", "", ""});
  ASSERT_TRUE(has_replies(2));
  PlainClient asker{server.port()};
  asker.send("INFO commandstats");
  std::string stats;
  for (std::string line = asker.line(); !line.empty(); line = asker.line()) stats += line + "\n";
  EXPECT_NE(stats.find("cmdstat_publish:calls=2,"), std::string::npos) << stats;
  EXPECT_EQ(stats.find("flushall"), std::string::npos);
}

TEST_F(HiredisConnectionTest, GivesManyRepliesInOrder) {
  RedisServerProcess server;
  PlainClient subscriber{server.port()};
  subscriber.subscribe("odd");
  connect_to_port(server.port());
  ASSERT_TRUE(becomes(LinkState::open));
  constexpr std::size_t kCount = 20'000;
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(eventually([&] {
      if (connection_->has_room()) return true;
      pump();
      return false;
    }));
    connection_->append(
        std::array<std::string_view, 3>{"PUBLISH", i % 2 == 1 ? "odd" : "even", "x"});
  }
  ASSERT_TRUE(has_replies(kCount));
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(replies_[i].integer, static_cast<std::int64_t>(i % 2));
  }
}

TEST_F(HiredisConnectionTest, SendsAndTakesWhatIsLargerThanItsBuffers) {
  RedisServerProcess server;
  PlainClient subscriber{server.port()};
  subscriber.subscribe("large");
  connect_to_port(server.port());
  ASSERT_TRUE(becomes(LinkState::open));
  const std::string large(3 * kOutputBytesMax, 'x');
  EXPECT_TRUE(connection_->has_room());
  send({"PUBLISH", "large", large});
  ASSERT_TRUE(has_replies(1));
  EXPECT_EQ(subscriber.message().size(), large.size());
  EXPECT_FALSE(connection_->wants_write());
}

TEST_F(HiredisConnectionTest, AuthenticatesAUserOfTheAcl) {
  RedisServerProcess server;
  PlainClient admin{server.port()};
  ASSERT_EQ(admin.ask("ACL SETUSER sender on >hush +publish &events:*"), "+OK");
  connect_to_port(server.port());
  ASSERT_TRUE(becomes(LinkState::open));
  send({"AUTH", "sender", "hush"});
  send({"PING"});
  send({"PUBLISH", "events:a", "x"});
  send({"PUBLISH", "others:a", "x"});
  ASSERT_TRUE(has_replies(4));
  EXPECT_EQ(replies_[0].text, "OK");
  EXPECT_TRUE(replies_[1].text.starts_with("NOPERM")) << replies_[1].text;
  EXPECT_EQ(replies_[2].integer, 0);
  EXPECT_TRUE(replies_[3].text.starts_with("NOPERM")) << replies_[3].text;
}

TEST_F(HiredisConnectionTest, ShowsTheErrorOfAWrongPassword) {
  RedisServerProcess server{{"--requirepass", "hush"}};
  connect_to_port(server.port());
  ASSERT_TRUE(becomes(LinkState::open));
  send({"AUTH", "wrong"});
  send({"PUBLISH", "c", "x"});
  ASSERT_TRUE(has_replies(2));
  EXPECT_EQ(replies_[0].kind, ReplyKind::error);
  EXPECT_TRUE(replies_[0].text.starts_with("WRONGPASS")) << replies_[0].text;
  EXPECT_TRUE(replies_[1].text.starts_with("NOAUTH")) << replies_[1].text;
}

TEST_F(HiredisConnectionTest, ShowsWhyAFullServerClosedTheConnection) {
  RedisServerProcess server{{"--maxclients", "1"}};
  PlainClient only{server.port()};
  ASSERT_TRUE(eventually([&] { return only.ask("PING") == "+PONG"; }));
  connect_to_port(server.port());
  ASSERT_TRUE(becomes(LinkState::open));
  send({"CLIENT", "SETNAME", "dualstream"});
  send({"PING"});
  ASSERT_TRUE(becomes(LinkState::closed));
  ASSERT_EQ(replies_.size(), 1U);
  EXPECT_EQ(replies_[0].text, "ERR max number of clients reached");
}

TEST_F(HiredisConnectionTest, SaysThatNobodyListens) {
  connect_to_port(free_port());
  ASSERT_TRUE(becomes(LinkState::closed));
  EXPECT_EQ(connection_->failure(), "Connection refused");
  EXPECT_EQ(connection_->fd(), -1);
  connect_to({.host = {}, .unix_path = "/nowhere/redis.sock", .username = {}, .password = {}});
  EXPECT_EQ(connection_->state(), LinkState::closed);
  EXPECT_EQ(connection_->failure(), "No such file or directory");
}

TEST_F(HiredisConnectionTest, SaysThatANameIsUnknown) {
  // No label of a name is so long: the resolver asks nobody.
  connect_to({.host = std::string(300, 'h'), .unix_path = {}, .username = {}, .password = {}});
  EXPECT_EQ(connection_->state(), LinkState::closed);
  EXPECT_FALSE(connection_->failure().empty());
}

TEST_F(HiredisConnectionTest, NoticesThatTheServerWasKilledAndConnectsToTheNextOne) {
  auto server = std::make_unique<RedisServerProcess>();
  connect_to_port(server->port());
  ASSERT_TRUE(becomes(LinkState::open));
  send({"PING"});
  ASSERT_TRUE(has_replies(1));
  server->kill();
  ASSERT_TRUE(becomes(LinkState::closed));
  EXPECT_FALSE(connection_->failure().empty());
  connection_->append(std::array<std::string_view, 1>{"PING"});
  EXPECT_EQ(connection_->flush(), 0U) << "a closed connection takes nothing";

  server = std::make_unique<RedisServerProcess>();
  connect_to_port(server->port());
  ASSERT_TRUE(becomes(LinkState::open));
  send({"PING"});
  ASSERT_TRUE(has_replies(2));
}

TEST_F(HiredisConnectionTest, SurvivesWritingToAConnectionThatIsGone) {
  const int listener = listen_on_loopback();
  connect_to_port(port_of(listener));
  ASSERT_TRUE(becomes(LinkState::open));
  const int accepted = ::accept(listener, nullptr, nullptr);
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(accepted, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  ::close(accepted);
  ::close(listener);
  EXPECT_TRUE(eventually([this] {
    send({"PUBLISH", "c", "x"});  // SIGPIPE would end the test.
    pump();
    return connection_->state() == LinkState::closed;
  }));
}

TEST_F(HiredisConnectionTest, HoldsItsBoundWhenTheServerReadsNothing) {
  RedisServerProcess server;
  connect_to_port(server.port());
  ASSERT_TRUE(becomes(LinkState::open));
  server.freeze();
  const std::string message(10'000, 'x');
  std::size_t appended = 0;
  while (connection_->has_room()) {
    send({"PUBLISH", "c", message});
    ASSERT_LT(++appended, 10'000U);
  }
  EXPECT_TRUE(connection_->wants_write());
  server.thaw();
  EXPECT_TRUE(has_replies(appended));
  EXPECT_TRUE(connection_->has_room());
}

// What a server that is not Redis may say.
class TalkingServer {
 public:
  TalkingServer() : listener_(listen_on_loopback()) {}
  ~TalkingServer() {
    ::close(listener_);
    if (accepted_ >= 0) ::close(accepted_);
  }
  TalkingServer(const TalkingServer&) = delete;
  TalkingServer& operator=(const TalkingServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_of(listener_); }
  void say(std::string_view text) {
    if (accepted_ < 0) accepted_ = ::accept(listener_, nullptr, nullptr);
    while (!text.empty()) {
      const ssize_t count = ::send(accepted_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return;  // It was closed: that is what the test waits for.
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

 private:
  int listener_;
  int accepted_ = -1;
};

TEST_F(HiredisConnectionTest, BreaksOffAtGarbage) {
  const std::vector<std::string> garbage = {
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      "*1000000000\r\n",
      "*-2147483648\r\n",
      "*2\r\n:1\r\n:2\r\n",
      "$5\r\nhello\r\n",
      "$-1\r\n",
      "$999999999999\r\n",
      ">2\r\n+push\r\n:1\r\n",
      "_\r\n",
      "#t\r\n",
      ":1x\r\n",
      ":\r\n",
      ":99999999999999999999999\r\n",
      std::string("\0\0\0\0", 4),
      "\r\n",
      "+" + std::string(40'000, 'x'),
  };
  for (const std::string& bytes : garbage) {
    TalkingServer server;
    connect_to_port(server.port());
    ASSERT_TRUE(becomes(LinkState::open));
    replies_.clear();
    server.say(":3\r\n");
    ASSERT_TRUE(has_replies(1));
    server.say(bytes);
    ASSERT_TRUE(becomes(LinkState::closed)) << bytes.substr(0, 40);
    EXPECT_TRUE(connection_->failure().starts_with("protocol error")) << connection_->failure();
    EXPECT_EQ(replies_.size(), 1U) << bytes.substr(0, 40);
  }
}

TEST_F(HiredisConnectionTest, PutsTogetherAReplyThatComesAByteAtATime) {
  TalkingServer server;
  connect_to_port(server.port());
  ASSERT_TRUE(becomes(LinkState::open));
  for (const char c : std::string_view{":12\r\n-NOPERM no\r\n+OK\r\n"}) {
    server.say({&c, 1});
    pump();
  }
  ASSERT_TRUE(has_replies(3));
  EXPECT_EQ(replies_[0].integer, 12);
  EXPECT_EQ(replies_[1].text, "NOPERM no");
  EXPECT_EQ(replies_[2].kind, ReplyKind::status);
}

TEST_F(HiredisConnectionTest, GivesWhatCameBeforeTheEnd) {
  auto server = std::make_unique<TalkingServer>();
  connect_to_port(server->port());
  ASSERT_TRUE(becomes(LinkState::open));
  server->say(":1\r\n:2\r\n:");
  server.reset();
  ASSERT_TRUE(becomes(LinkState::closed));
  EXPECT_EQ(replies_.size(), 2U);
  EXPECT_EQ(connection_->failure(), "the server closed the connection");
}

}  // namespace
}  // namespace dualstream::redis
