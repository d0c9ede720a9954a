// The test support on the servers of the run: what plain librdkafka writes, Apache's client reads.
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/command.h"
#include "support/kafka_admin.h"
#include "support/plain_producer.h"
#include "support/redis_subscriber.h"
#include "support/servers.h"
#include "support/topic_reader.h"
#include "support/verifying_events.h"

namespace dualstream::testing {
namespace {

using namespace std::chrono_literals;

std::string redis_cli(const SharedServers& servers, const std::vector<std::string>& arguments) {
  const std::string& address = servers.redis_address();
  std::vector<std::string> command{"redis-cli", "-p", address.substr(address.rfind(':') + 1)};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_command(command).output;
}

TEST(SharedServersTest, GiveBackEveryEventToAClientThatIsNotLibrdkafka) {
  const SharedServers servers;
  const std::string topic = unique_name("shared");
  create_topic(servers.brokers(), topic, {.partitions = 5});

  const VerifyingEvents events{{.seed = 11}};
  EventsChecker checker{events};
  PlainProducer producer{servers.brokers(), topic};
  for (std::uint64_t sequence = 0; sequence < 100; ++sequence) {
    for (std::size_t source = 0; source < 50; ++source) {
      producer.send(events.make(source, sequence));
    }
  }
  for (const Outcome& outcome : producer.finish()) {
    EXPECT_EQ(outcome.kind, OutcomeKind::delivered);
    checker.expect(outcome);
  }
  ASSERT_EQ(checker.size(), 5000U);

  const CheckReport report = checker.check(read_topic(servers.brokers(), topic));
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, 5000U);
  delete_topic(servers.brokers(), topic);
}

TEST(SharedServersTest, TopicsAreMadeGrownConfiguredAndDeleted) {
  const SharedServers servers;
  const std::string topic = unique_name("admin");
  create_topic(servers.brokers(), topic, {.partitions = 2, .config = {{"retention.ms", "60000"}}});
  EXPECT_THROW(create_topic(servers.brokers(), topic), std::runtime_error);
  EXPECT_EQ(leader_of(servers.brokers(), topic, 1), 1);
  EXPECT_EQ(leader_of(servers.brokers(), topic, 2), -1);
  grow_topic(servers.brokers(), topic, 3);
  EXPECT_EQ(leader_of(servers.brokers(), topic, 2), 1);
  configure_topic(servers.brokers(), topic, {{"max.message.bytes", "2000"}});
  EXPECT_THROW(configure_topic(servers.brokers(), topic, {{"no.such", "1"}}), std::runtime_error);
  EXPECT_TRUE(read_topic(servers.brokers(), topic).empty());
  delete_topic(servers.brokers(), topic);
  EXPECT_THROW(delete_topic(servers.brokers(), topic), std::runtime_error);
}

TEST(SharedServersTest, AReaderOfAnUnknownTopicFails) {
  const SharedServers servers;
  EXPECT_THROW((void)read_topic(servers.brokers(), unique_name("nowhere")), std::runtime_error);
}

TEST(SharedServersTest, ASubscriberHearsItsChannelsAndPatternsAndNoOthers) {
  const SharedServers servers;
  const std::string prefix = unique_name("heard");
  RedisSubscriber subscriber{servers.redis_address(),
                             {.channels = {prefix + ":one"}, .patterns = {prefix + ":p*"}}};
  EXPECT_EQ(redis_cli(servers, {"PUBLISH", prefix + ":one", "1"}), "1\n");
  EXPECT_EQ(redis_cli(servers, {"PUBLISH", prefix + ":other", "2"}), "0\n");
  EXPECT_EQ(redis_cli(servers, {"PUBLISH", prefix + ":pattern", "3"}), "1\n");
  ASSERT_TRUE(subscriber.wait_for(2, 5s));
  EXPECT_FALSE(subscriber.wait_for(3, 50ms));
  const std::vector<RedisMessage> messages = subscriber.messages();
  EXPECT_EQ(messages[0].channel, prefix + ":one");
  EXPECT_EQ(messages[0].text, "1");
  EXPECT_EQ(messages[1].channel, prefix + ":pattern");
  EXPECT_EQ(messages[1].text, "3");
  EXPECT_TRUE(subscriber.connected());
}

}  // namespace
}  // namespace dualstream::testing
