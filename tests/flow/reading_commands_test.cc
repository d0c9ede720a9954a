// dualstream tail, fetch and replay on real servers, as a user runs them.
#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/command.h"
#include "support/redis_subscriber.h"
#include "support/subscriber_test.h"

namespace dualstream::testing {
namespace {

using nlohmann::json;
using std::chrono::seconds;

class ReadingCommandsFlowTest : public ::testing::Test {
 protected:
  ReadingCommandsFlowTest() {
    EngineRun run{setup_.engine_options(), setup_.events()};
    run.publish({.threads = 1, .events = 1'000, .sources = 10});
    EXPECT_TRUE(run.stop().ok());
  }

  [[nodiscard]] CommandResult dualstream(const std::string& command,
                                         std::vector<std::string> more) const {
    std::vector<std::string> words{binary_dir() + "/tools/dualstream/dualstream",
                                   command,
                                   "--brokers",
                                   setup_.brokers(),
                                   "--topic",
                                   setup_.topic()};
    words.insert(words.end(), more.begin(), more.end());
    return run_command(words);
  }
  [[nodiscard]] std::vector<std::string> with_redis(std::vector<std::string> more) const {
    more.insert(more.end(), {"--redis", servers_.redis_address(), "--channel",
                             setup_.engine_options().redis.channels[0], "--channel",
                             setup_.engine_options().redis.channels[1]});
    return more;
  }
  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      lines.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  }

  const SharedServers servers_;
  const SubscriberSetup setup_{servers_.brokers(), servers_.redis_address()};
};

TEST_F(ReadingCommandsFlowTest, TailShowsTheLastEventsAsLinesOfJson) {
  const CommandResult result = dualstream(
      "tail", with_redis({"--last", "20", "--count", "20", "--payload", "repo:owner/s3"}));
  EXPECT_EQ(result.exit_code, 0);
  const std::vector<std::string> lines = lines_of(result.output);
  ASSERT_EQ(lines.size(), 20U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const json update = json::parse(lines[i]);
    EXPECT_EQ(update.at("source_id"), "owner/s3");
    EXPECT_EQ(update.at("origin"), "history");
    EXPECT_EQ(json::parse(update.at("payload").get<std::string>()).at("sequence"), 80 + i);
  }
}

TEST_F(ReadingCommandsFlowTest, TailRefusesWhatItCannotListenTo) {
  EXPECT_EQ(dualstream("tail", {}).exit_code, 2);
  EXPECT_EQ(dualstream("tail", {"--listen", "news"}).exit_code, 2);
  EXPECT_EQ(dualstream("tail", {"--last", "5", "--since", "1h", "a"}).exit_code, 2);
}

TEST_F(ReadingCommandsFlowTest, FetchPrintsTheEventThatANotificationSpeaksOf) {
  const Record record = setup_.records().at(7);
  const CommandResult result =
      dualstream("fetch", {std::to_string(record.partition), std::to_string(record.offset)});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, record.value.value_or("") + "\n");
  EXPECT_EQ(dualstream("fetch", {"0", "999999"}).exit_code, 1);
  EXPECT_EQ(dualstream("fetch", {"zero"}).exit_code, 2);
}

TEST_F(ReadingCommandsFlowTest, ReplayGivesEachPartitionInOrderAndGoesOnWhereItEnded) {
  const std::vector<Record> records = setup_.records();
  std::map<std::int32_t, std::int64_t> ends;
  for (const Record& record : records) ends[record.partition] = record.offset + 1;
  const std::string position =
      (std::filesystem::temp_directory_path() / unique_name("replay.position")).string();
  std::vector<std::string> first{"--from-time", "1h",         "--to-stdout",
                                 "--json",      "--position", position};
  for (const auto& [partition, end] : ends) {
    first.insert(first.end(), {"--to", std::to_string(partition) + ":" + std::to_string(end / 2)});
  }
  const CommandResult half = dualstream("replay", first);
  const CommandResult rest =
      dualstream("replay", {"--from-time", "1h", "--to-stdout", "--json", "--position", position});
  EXPECT_EQ(half.exit_code, 0);
  EXPECT_EQ(rest.exit_code, 0);
  std::map<std::int32_t, std::int64_t> next;
  std::size_t count = 0;
  for (const std::string& line : lines_of(half.output + rest.output)) {
    const json update = json::parse(line);
    EXPECT_EQ(update.at("offset"), next[update.at("partition")]++);
    count += 1;
  }
  EXPECT_EQ(count, records.size());
  for (const char* end : {"", ".tmp", ".lock"}) std::filesystem::remove(position + end);
}

TEST_F(ReadingCommandsFlowTest, ReplayToAnotherTopicAndOfOneSourceOnly) {
  const std::string copy = unique_name("copy");
  create_topic(setup_.brokers(), copy, {.partitions = 4});
  const CommandResult result =
      dualstream("replay", {"--from-time", "1h", "--to-topic", copy, "--only-source",
                            "repo:owner/s3", "--rate", "2000"});
  EXPECT_EQ(result.exit_code, 0);
  const std::vector<Record> copied = read_topic(setup_.brokers(), copy);
  std::vector<std::string> expected;
  for (const Record& record : setup_.records()) {
    if (record.key == "owner/s3") expected.push_back(record.value.value_or(""));
  }
  ASSERT_EQ(copied.size(), expected.size());
  for (std::size_t i = 0; i < copied.size(); ++i) EXPECT_EQ(copied[i].value, expected[i]);
}

TEST_F(ReadingCommandsFlowTest, ReplayToRedisSpeaksOnChannelsOfItsOwn) {
  const std::string word = unique_name("replay");
  RedisSubscriber replayed{servers_.redis_address(), {.patterns = {word + ":*"}}};
  RedisSubscriber live{servers_.redis_address(), {.patterns = {setup_.pattern()}}};
  const CommandResult result =
      dualstream("replay", {"--from-time", "1h", "--to-redis", "--redis", servers_.redis_address(),
                            "--replay-channel", word + ":{source_type}:{source_id}"});
  EXPECT_EQ(result.exit_code, 0);
  const auto told = [&replayed] {
    std::size_t count = 0;
    for (const RedisMessage& message : replayed.messages()) {
      count += 1 + json::parse(message.text).value("earlier", json::array()).size();
    }
    return count;
  };
  EXPECT_TRUE(eventually(seconds{5}, [&] { return told() == 1'000; })) << told();
  EXPECT_EQ(live.count(), 0U) << "readers of live events never see time run backwards";
}

}  // namespace
}  // namespace dualstream::testing
