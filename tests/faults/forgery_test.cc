// I4, I5: values that are made to look like other channels, or like commands of Redis.
#include <chrono>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "dualstream/notifier.h"
#include "support/eventually.h"
#include "support/redis_admin.h"
#include "support/redis_subscriber.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::seconds;
using testing::eventually;

class ForgeryFaultTest : public ::testing::Test {
 protected:
  ForgeryFaultTest() {
    RedisOptions options;
    options.address = servers_.redis_address();
    const Status status = Notifier::open(
        options, [](const LogLine&) {}, notifier_);
    EXPECT_TRUE(status.ok()) << status.message;
  }

  void tell(const EventView& event) {
    ASSERT_TRUE(notifier_->notify(event, 0, next_offset_++, seconds{10}));
  }
  void wait_for_messages(std::size_t count) {
    EXPECT_TRUE(notifier_->drain(seconds{10}));
    EXPECT_TRUE(eventually(seconds{10}, [&] { return subscriber_.messages().size() >= count; }));
  }

  // The commands that the server was ever given.
  std::set<std::string> commands() {
    std::set<std::string> names;
    std::istringstream lines{admin_.reply_to({"INFO", "commandstats"})};
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("cmdstat_")) names.insert(line.substr(8, line.find(':') - 8));
    }
    return names;
  }

  const testing::Servers servers_{{"--no-kafka"}};
  testing::RedisAdmin admin_{servers_.redis_address()};
  testing::RedisSubscriber subscriber_{servers_.redis_address(), {.patterns = {"events:*"}}};
  std::unique_ptr<Notifier> notifier_;
  std::int64_t next_offset_ = 0;
};

TEST_F(ForgeryFaultTest, I4_NoTwoSourcesShareAChannel) {
  const std::vector<std::pair<std::string, std::string>> sources{
      {"a:b", "c"},    {"a", "b:c"},
      {"a", "b%3Ac"},  {"a", "b\r\nc"},
      {"a", "b c"},    {"a", "*"},
      {"a", "?[x]\\"}, {"a%3Ab", "c"},
      {"A", "b:c"},    {"a", std::string(16'384, ':')}};
  for (const auto& [type, id] : sources) {
    tell({.id = "1", .type = "T", .source_type = type, .source_id = id});
  }
  wait_for_messages(sources.size());
  std::set<std::string> channels;
  for (const testing::RedisMessage& message : subscriber_.messages()) {
    channels.insert(message.channel);
    for (const char c : message.channel) {
      EXPECT_TRUE(c > ' ' && c < 0x7f && c != '*' && c != '?' && c != '[' && c != '\\')
          << message.channel;
    }
  }
  EXPECT_EQ(channels.size(), sources.size());
}

TEST_F(ForgeryFaultTest, I5_ValuesThatLookLikeCommandsAreNone) {
  const std::string set = "\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
  wait_for_messages(0);
  const std::set<std::string> before = commands();
  for (int i = 0; i < 50; ++i) {
    const std::string id = std::to_string(i) + set;
    const std::string source = set + std::to_string(i);
    tell({.id = id, .type = set, .source_type = set, .source_id = source});
  }
  wait_for_messages(50);
  for (const std::string& name : commands()) {
    EXPECT_TRUE(before.contains(name) || name == "publish" || name == "ping" ||
                name == "client|setname" || name == "info")
        << "the server was given " << name;
  }
  EXPECT_EQ(admin_.command("DBSIZE"), "0");
  std::set<std::string> ids;
  for (const testing::RedisMessage& message : subscriber_.messages()) {
    const auto frame = nlohmann::json::parse(message.text);
    EXPECT_EQ(frame.at("type"), set);
    ids.insert(frame.at("id").get<std::string>());
  }
  EXPECT_EQ(ids.size(), 50U) << "each arrives as it is";
}

}  // namespace
}  // namespace dualstream
