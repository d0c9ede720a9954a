// The test support on servers that are killed, frozen and started again.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "support/eventually.h"
#include "support/kafka_admin.h"
#include "support/plain_producer.h"
#include "support/redis_subscriber.h"
#include "support/servers.h"
#include "support/topic_reader.h"
#include "support/verifying_events.h"

namespace dualstream::testing {
namespace {

using namespace std::chrono_literals;

TEST(OwnServersTest, AKilledBrokerComesBackWithItsData) {
  Servers servers{{"--no-redis"}};
  create_topic(servers.brokers(), "events");
  const VerifyingEvents events;
  EventsChecker checker{events};
  PlainProducer producer{servers.brokers(), "events"};
  const auto send = [&](std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t sequence = from; sequence < to; ++sequence) {
      producer.send(events.make(sequence % 10, sequence));
    }
  };
  send(0, 1000);
  for (const Outcome& outcome : producer.finish()) {
    checker.expect(outcome);
  }
  servers.kill("kafka");
  send(1000, 2000);
  servers.start("kafka");
  servers.freeze("kafka");
  send(2000, 3000);
  servers.thaw("kafka");
  for (const Outcome& outcome : producer.finish()) {
    EXPECT_EQ(outcome.kind, OutcomeKind::delivered);
    checker.expect(outcome);
  }
  EXPECT_EQ(checker.size(), 3000U);
  const CheckReport report = checker.check(read_topic(servers.brokers(), "events"));
  EXPECT_TRUE(report.ok()) << report.text;
}

TEST(OwnServersTest, ASubscriberSeesItsRedisGo) {
  Servers servers{{"--no-kafka"}};
  RedisSubscriber subscriber{servers.redis_address(), {.channels = {"events"}}};
  servers.kill("redis");
  EXPECT_FALSE(subscriber.wait_for(1, 5s));
  EXPECT_FALSE(subscriber.connected());
  // For a moment the system may still shake hands for a server that has gone.
  EXPECT_TRUE(eventually(5s, [&] {
    try {
      const RedisSubscriber late{servers.redis_address(), {}};
      return false;
    } catch (const std::runtime_error&) {
      return true;
    }
  }));
  servers.start("redis");
  RedisSubscriber{servers.redis_address(), {.channels = {"events"}}};
  EXPECT_THROW(servers.kill("kafka"), std::runtime_error);
  EXPECT_THROW((void)servers.brokers(), std::runtime_error);
}

TEST(OwnServersTest, ThreeBrokersLoseOneAndNoEvent) {
  Servers servers{{"--no-redis", "--brokers", "3"}};
  create_topic(servers.brokers(), "events", {.partitions = 1, .replicas = 3});
  const VerifyingEvents events;
  EventsChecker checker{events};
  PlainProducer producer{servers.brokers(), "events"};
  int leader = -1;
  ASSERT_TRUE(eventually(std::chrono::seconds{10}, [&] {
    leader = leader_of(servers.brokers(), "events", 0);
    return leader >= 1;
  })) << "a broker that has just started may not know of it yet";
  for (std::uint64_t sequence = 0; sequence < 1000; ++sequence) {
    producer.send(events.make(0, sequence));
    if (sequence == 500) {
      servers.kill("kafka:" + std::to_string(leader));
    }
  }
  for (const Outcome& outcome : producer.finish()) {
    EXPECT_EQ(outcome.kind, OutcomeKind::delivered);
    checker.expect(outcome);
  }
  EXPECT_EQ(checker.size(), 1000U);
  const CheckReport report = checker.check(read_topic(servers.brokers(), "events"));
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_NE(leader_of(servers.brokers(), "events", 0), leader);
}

}  // namespace
}  // namespace dualstream::testing
