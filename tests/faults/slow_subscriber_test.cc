// A subscriber that does not read is thrown out by Redis, while PUBLISH answers as before: the
// engine cannot see it, so the notifications must let the subscriber see it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/redis_fault_test.h"

namespace dualstream {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::EngineRun;
using testing::RedisAdmin;
using testing::RedisSubscriber;

// It subscribes and never reads.
class StuckSubscriber {
 public:
  StuckSubscriber(const std::string& address, const std::string& pattern)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    // What its own system would take for it is kept small.
    const int bytes = 4096;
    EXPECT_EQ(::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes), 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.find(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    const std::string command = "PSUBSCRIBE " + pattern + "\r\n";
    EXPECT_EQ(::send(socket_, command.data(), command.size(), 0),
              static_cast<ssize_t>(command.size()));
  }
  StuckSubscriber(const StuckSubscriber&) = delete;
  StuckSubscriber& operator=(const StuckSubscriber&) = delete;
  ~StuckSubscriber() { ::close(socket_); }

 private:
  const int socket_;
};

class SlowSubscriberFaultTest : public testing::RedisFaultTest {};

TEST_F(SlowSubscriberFaultTest, R7_OneThatDoesNotReadIsThrownOutAndCanSeeItAfterwards) {
  RedisAdmin admin{servers->redis_address()};
  admin.reply_to({"CONFIG", "SET", "client-output-buffer-limit", "pubsub 65536 32768 5"});
  const RedisSubscriber healthy{servers->redis_address(), subscription()};
  const StuckSubscriber stuck{servers->redis_address(), subscription().patterns.front()};
  expect_within(seconds{5}, "both subscribed", [&] { return admin.info("pubsub_patterns") == 1; });
  expect_within(seconds{5}, "both connected", [&] {
    return admin.command("CLIENT LIST TYPE pubsub").find("\nid=") != std::string::npos;
  });
  EngineRun run{options(), events()};
  std::size_t accepted = 0;
  expect_within(seconds{60}, "thrown out", [&] {
    accepted += run.publish({.events = 20'000, .sources = 40}).accepted;
    return admin.command("CLIENT LIST TYPE pubsub").find("\nid=") == std::string::npos;
  });
  EXPECT_TRUE(run.drained_within(seconds{120}));
  // It comes back, and knows of each source at most what was before the first notification that it
  // missed. The next one of each source tells it that it lacks something.
  RedisSubscriber back{servers->redis_address(), subscription()};
  accepted += run.publish({.events = 40, .sources = 40}).accepted;
  EXPECT_TRUE(run.drained_within(seconds{120}));
  ASSERT_TRUE(back.wait_for(40, seconds{10}));
  for (const auto& message : back.messages()) {
    const json notification = json::parse(message.text);
    EXPECT_TRUE(notification.contains("prev")) << message.text;
    EXPECT_LT(notification.value("prev", json::number_integer_t{0}),
              notification.value("offset", json::number_integer_t{0}));
  }
  expect_ledger(run, accepted, {&healthy});
  EXPECT_EQ(run.stats()[Counter::notified], accepted) << "PUBLISH answered as before";
  EXPECT_EQ(run.stats()[Counter::redis_disconnects], 0U);
}

}  // namespace
}  // namespace dualstream
