// Real events from a file arrive byte for byte, in order per source, in the partition that Java's
// partitioner would choose, with their notifications received by a real subscriber.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "dualstream/engine.h"
#include "support/command.h"
#include "support/kafka_admin.h"
#include "support/redis_subscriber.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace dualstream {
namespace {

using std::chrono::seconds;

// The lines of DUALSTREAM_SAMPLE_EVENTS, or of the sample data beside the project, or ones made in
// their likeness: with text in several scripts, escapes, and lines from half a kilobyte to 20.
std::vector<std::string> sample_lines() {
  const char* given = std::getenv("DUALSTREAM_SAMPLE_EVENTS");
  const std::filesystem::path file =
      given != nullptr ? given
                       : testing::source_dir() + "/../shared/data/github-events-2015.ndjson";
  std::vector<std::string> lines;
  if (std::ifstream in{file}; in) {
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  for (int i = 0; i < 1'000; ++i) {
    const nlohmann::json event = {
        {"id", std::to_string(2'489'651'000 + i)},
        {"type", i % 2 == 0 ? "PushEvent" : "WatchEvent"},
        {"actor", {{"id", i}, {"login", "user" + std::to_string(i % 37)}}},
        {"repo", {{"id", i % 211}, {"name", "owner/repo-" + std::to_string(i * i % 211)}}},
        {"payload",
         {{"message",
           "문제 \"해결\"\n\t" + std::string(static_cast<std::size_t>(i % 20) * 1000, 'x')}}},
        {"public", true}};
    lines.push_back(event.dump());
  }
  return lines;
}

TEST(SampleEventsFlowTest, ArriveByteForByteInOrderWithTheirNotifications) {
  const testing::SharedServers servers;
  const std::string topic = testing::unique_name("sample");
  testing::create_topic(servers.brokers(), topic, {.partitions = 4});
  const std::string channels = "events:" + topic + ":*";
  testing::RedisSubscriber subscriber{servers.redis_address(), {.patterns = {channels}}};

  Options options;
  options.kafka.brokers = servers.brokers();
  options.kafka.topic = topic;
  options.redis.address = servers.redis_address();
  options.json.source_type = topic;  // A constant, so that this test has channels of its own.
  std::unique_ptr<Engine> engine;
  const Status opened = Engine::open(options, engine);
  ASSERT_TRUE(opened.ok()) << opened.message;

  const std::vector<std::string> lines = sample_lines();
  ASSERT_GT(lines.size(), 900U);
  std::map<std::string, std::vector<std::string>> by_source;
  {
    Publisher publisher = engine->publisher();
    for (const std::string& line : lines) {
      ASSERT_EQ(publisher.publish_json(line, 0, seconds{10}), PublishResult::accepted)
          << publisher.refusal_reason();
      by_source[nlohmann::json::parse(line).at("repo").at("name").get<std::string>()].push_back(
          line);
    }
  }
  const Status stopped = engine->stop(seconds{30});
  EXPECT_TRUE(stopped.ok()) << stopped.message;
  const Stats stats = engine->stats();
  EXPECT_EQ(stats[Counter::delivered], lines.size());
  EXPECT_EQ(stats[Counter::notified], lines.size());

  std::map<std::string, std::vector<std::string>> read_back;
  for (const testing::Record& record : testing::read_topic(servers.brokers(), topic)) {
    EXPECT_EQ(record.partition, record.java_partition);
    read_back[*record.key].push_back(*record.value);
  }
  EXPECT_EQ(read_back, by_source);

  EXPECT_TRUE(subscriber.wait_for(stats[Counter::frames], seconds{10}));
  std::map<std::string, std::vector<std::string>> ids_by_channel;
  for (const testing::RedisMessage& message : subscriber.messages()) {
    const auto frame = nlohmann::json::parse(message.text);
    std::vector<std::string>& ids = ids_by_channel[message.channel];
    if (frame.contains("earlier")) {
      for (const auto& event : frame.at("earlier"))
        ids.push_back(event.at("id").get<std::string>());
    }
    ids.push_back(frame.at("id").get<std::string>());
  }
  std::map<std::string, std::vector<std::string>> expected;
  const std::string prefix = "events:" + topic + ":";
  for (const auto& [source, its_lines] : by_source) {
    std::vector<std::string>& ids = expected[prefix + source];
    for (const std::string& line : its_lines) {
      ids.push_back(nlohmann::json::parse(line).at("id").get<std::string>());
    }
  }
  EXPECT_EQ(ids_by_channel, expected);
}

TEST(SampleEventsFlowTest, ABadLineAmongThemCostsOnlyItself) {
  const testing::SharedServers servers;
  const std::string topic = testing::unique_name("badline");
  testing::create_topic(servers.brokers(), topic, {.partitions = 1});
  Options options;
  options.kafka.brokers = servers.brokers();
  options.kafka.topic = topic;
  std::unique_ptr<Engine> engine;
  ASSERT_TRUE(Engine::open(options, engine).ok());
  std::vector<std::string> good;
  {
    Publisher publisher = engine->publisher();
    for (const std::string& line : sample_lines()) {
      EXPECT_EQ(publisher.publish_json(line.substr(0, line.size() / 2)), PublishResult::invalid);
      EXPECT_FALSE(publisher.refusal_reason().empty());
      ASSERT_EQ(publisher.publish_json(line, 0, seconds{10}), PublishResult::accepted);
      good.push_back(line);
    }
  }
  EXPECT_TRUE(engine->stop(seconds{30}).ok());
  EXPECT_EQ(engine->stats()[Counter::refused_invalid], good.size());
  std::vector<std::string> read_back;
  for (const testing::Record& record : testing::read_topic(servers.brokers(), topic)) {
    read_back.push_back(*record.value);
  }
  EXPECT_EQ(read_back, good);
}

}  // namespace
}  // namespace dualstream
