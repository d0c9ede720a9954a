// Events published by several threads arrive in Kafka whole, once, in order and in the partition
// that Java chooses, and their notifications arrive at a real subscriber.
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/engine_run.h"
#include "support/kafka_admin.h"
#include "support/redis_subscriber.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::seconds;
using testing::EngineRun;

TEST(PublishFlowTest, EveryEventArrivesOnceInOrderWhereItsOutcomeSays) {
  const testing::SharedServers servers;
  const std::string topic = testing::unique_name("publish");
  testing::create_topic(servers.brokers(), topic, {.partitions = 4});
  EngineRun run{EngineRun::options(servers.brokers(), topic)};
  const auto result = run.publish({.threads = 4, .events = 50'000});
  EXPECT_EQ(result.accepted, 50'000U);
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::delivered], 50'000U);
  EXPECT_EQ(run.stats()[Counter::announced], 0U) << "there is no Redis";
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, 50'000U);
}

TEST(PublishFlowTest, ASubscriberIsToldOfEveryEventAndWhereItLies) {
  const testing::SharedServers servers;
  const std::string topic = testing::unique_name("notify");
  testing::create_topic(servers.brokers(), topic, {.partitions = 4});
  const std::string prefix = topic + "/s";
  testing::RedisSubscriber subscriber{servers.redis_address(),
                                      {.patterns = {"events:repo:" + prefix + "*"}}};
  EngineRun run{EngineRun::options(servers.brokers(), topic, servers.redis_address()),
                {.source_prefix = prefix}};
  constexpr std::size_t kEvents = 20'000;
  run.publish({.threads = 2, .events = kEvents, .sources = 50});
  EXPECT_TRUE(run.stop().ok());
  const Stats stats = run.stats();
  EXPECT_EQ(stats[Counter::announced], kEvents);
  EXPECT_EQ(stats[Counter::notified], kEvents);
  EXPECT_TRUE(subscriber.wait_for(stats[Counter::frames], seconds{10}));

  // What the notifications say is compared with what Java's client reads.
  std::map<std::pair<std::int64_t, std::int64_t>, std::string> id_at;
  std::map<std::string, std::int64_t> newest_offset;
  for (const testing::RedisMessage& message : subscriber.messages()) {
    const auto frame = nlohmann::json::parse(message.text);
    EXPECT_EQ(message.channel, "events:repo:" + frame.at("source_id").get<std::string>());
    EXPECT_EQ(message.text.find("payload"), std::string::npos);
    EXPECT_FALSE(frame.contains("missed"));
    const auto partition = frame.at("partition").get<std::int64_t>();
    const auto source = frame.at("source_id").get<std::string>();
    // `prev` is where the frame before this one ended: nothing is between the two.
    if (newest_offset.contains(source)) {
      EXPECT_EQ(frame.at("prev").get<std::int64_t>(), newest_offset.at(source));
    }
    std::int64_t last = newest_offset.contains(source) ? newest_offset.at(source) : -1;
    const auto take = [&](const nlohmann::json& event) {
      const auto offset = event.at("offset").get<std::int64_t>();
      EXPECT_GT(offset, last) << "in order";
      last = offset;
      EXPECT_TRUE(
          id_at.emplace(std::pair{partition, offset}, event.at("id").get<std::string>()).second)
          << "once";
    };
    if (frame.contains("earlier")) {
      for (const auto& event : frame.at("earlier")) take(event);
    }
    take(frame);
    newest_offset[source] = last;
  }
  EXPECT_EQ(id_at.size(), kEvents);
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
  const auto records = testing::read_topic(servers.brokers(), topic);
  ASSERT_EQ(records.size(), kEvents);
  for (const testing::Record& record : records) {
    const auto found = id_at.find({record.partition, record.offset});
    ASSERT_NE(found, id_at.end());
    EXPECT_EQ(nlohmann::json::parse(*record.value).at("id").get<std::string>(), found->second);
  }
}

}  // namespace
}  // namespace dualstream
