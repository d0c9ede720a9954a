// A subscriber that is not ours and knows only a notification's first three fields: redis-cli and a
// plain string search.
#include <array>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dualstream/engine.h"
#include "support/command.h"
#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/kafka_admin.h"
#include "support/redis_admin.h"
#include "support/servers.h"

namespace dualstream::testing {
namespace {

using std::chrono::seconds;

constexpr int kSources = 3;
constexpr int kEvents = 300;

// The first three fields of a notification, or nothing.
std::optional<std::array<std::string, 3>> three_fields(const std::string& line) {
  std::array<std::string, 3> fields;
  std::size_t at = 0;
  const auto read = [&](const std::string& before, std::string& field) {
    if (line.compare(at, before.size(), before) != 0) return false;
    at += before.size();
    const std::size_t end = line.find('"', at);
    if (end == std::string::npos) return false;
    field = line.substr(at, end - at);
    at = end + 1;
    return true;
  };
  if (read(R"({"id":")", fields[0]) && read(R"(,"type":")", fields[1]) &&
      read(R"(,"source_id":")", fields[2])) {
    return fields;
  }
  return std::nullopt;
}

class IndependentSubscriberFlowTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string source(int number) const {
    return prefix_ + "/s" + std::to_string(number);
  }
  [[nodiscard]] std::string channel(int number) const { return "events:repo:" + source(number); }

  // What redis-cli prints until it has printed all of `messages`: three lines for each.
  [[nodiscard]] std::future<CommandResult> listen(int messages) const {
    const std::string& address = servers_.redis_address();
    std::string command = "redis-cli -p " + address.substr(address.rfind(':') + 1) + " SUBSCRIBE";
    for (int i = 0; i < kSources; ++i) command.append(" ").append(channel(i));
    command.append(" | head -n ").append(std::to_string(3 * (kSources + messages)));
    return std::async(std::launch::async, [command] {
      return run_command({"timeout", "40", "sh", "-c", command});
    });
  }

  void publish(Publisher& publisher, int number) const {
    const std::string id = std::to_string(number);
    const std::string source_id = source(number % kSources);
    EXPECT_EQ(publisher.publish({.id = id,
                                 .type = "PushEvent",
                                 .source_type = "repo",
                                 .source_id = source_id,
                                 .payload = "{}"},
                                seconds{10}),
              PublishResult::accepted);
  }

  const SharedServers servers_;
  const std::string prefix_ = unique_name("independent");
};

TEST_F(IndependentSubscriberFlowTest, ThreeFieldsAreEnoughToFollowEachSource) {
  create_topic(servers_.brokers(), prefix_, {.partitions = 4});
  std::future<CommandResult> heard = listen(kEvents);
  RedisAdmin admin{servers_.redis_address()};
  const std::string last_channel = channel(kSources - 1);
  ASSERT_TRUE(eventually(seconds{10}, [&] {
    return admin.command("PUBSUB NUMSUB " + last_channel) == last_channel + "\n1\n";
  }));

  Options options = EngineRun::options(servers_.brokers(), prefix_, servers_.redis_address());
  options.redis.frame_events_max = 1;  // Whoever does not read `earlier` misses nothing then.
  std::unique_ptr<Engine> engine;
  ASSERT_TRUE(Engine::open(options, engine).ok());
  Publisher publisher = engine->publisher();
  int number = 0;
  while (number < kEvents) publish(publisher, number++);
  // `head` ends when it has them all, and redis-cli with its next message.
  EXPECT_TRUE(eventually(seconds{30}, [&] {
    publish(publisher, number++);
    return heard.wait_for(seconds{0}) == std::future_status::ready;
  }));
  EXPECT_TRUE(engine->stop(seconds{10}).ok());

  std::istringstream lines{heard.get().output};
  std::map<std::string, int> next;
  int messages = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto fields = three_fields(line);
    if (!fields) {
      EXPECT_NE(line.front(), '{') << line;
      continue;
    }
    messages += 1;
    EXPECT_EQ((*fields)[1], "PushEvent");
    const int told = std::stoi((*fields)[0]);
    EXPECT_EQ((*fields)[2], source(told % kSources));
    const auto [place, first] = next.try_emplace((*fields)[2], told % kSources);
    EXPECT_EQ(told, place->second) << "each event of the source once, in order";
    place->second = told + kSources;
  }
  EXPECT_EQ(messages, kEvents);
}

}  // namespace
}  // namespace dualstream::testing
