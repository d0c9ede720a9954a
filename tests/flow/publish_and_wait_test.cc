// A caller that waits gets Kafka's answer to each of its events, in their order.
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dualstream/engine.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PublishAndWaitFlowTest, AnswersInTheOrderOfTheEventsAndToNobodyElse) {
  const testing::Servers servers{{"--no-redis"}};
  const std::string topic = testing::unique_name("wait");
  testing::create_topic(servers.brokers(), topic, {.partitions = 4});
  Options options;
  options.kafka.brokers = servers.brokers();
  options.kafka.topic = topic;
  std::size_t called_back = 0;
  options.on_outcomes = [&called_back](std::span<const Outcome> outcomes) {
    called_back += outcomes.size();
  };
  std::unique_ptr<Engine> engine;
  ASSERT_TRUE(Engine::open(options, engine).ok());
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(std::to_string(1000 + i));
  std::vector<EventView> events;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    events.push_back({.id = texts[i],
                      .type = "T",
                      .source_type = "s",
                      .source_id = texts[i],
                      .payload = texts[i],
                      .tag = i});
  }
  events[7].source_id = "";  // Cannot be carried.
  std::vector<Outcome> outcomes(events.size());
  {
    Publisher publisher = engine->publisher();
    const Status status = publisher.publish_and_wait(events, seconds{10}, outcomes);
    EXPECT_EQ(status.code, StatusCode::rejected);
    EXPECT_NE(status.message.find("99 of 100"), std::string::npos) << status.message;
  }
  EXPECT_TRUE(engine->stop(seconds{10}).ok());
  EXPECT_EQ(called_back, 0U);
  std::vector<std::vector<std::string>> log(4);
  for (const testing::Record& record : testing::read_topic(servers.brokers(), topic)) {
    log[static_cast<std::size_t>(record.partition)].push_back(*record.value);
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (i == 7) {
      EXPECT_EQ(outcomes[i].kind, OutcomeKind::refused);
      EXPECT_EQ(outcomes[i].refusal, PublishResult::invalid);
      continue;
    }
    ASSERT_EQ(outcomes[i].kind, OutcomeKind::delivered) << i;
    EXPECT_EQ(outcomes[i].tag, i);
    EXPECT_EQ(log[static_cast<std::size_t>(outcomes[i].partition)]
                 [static_cast<std::size_t>(outcomes[i].offset)],
              texts[i]);
  }
}

TEST(PublishAndWaitFlowTest, ReturnsAtItsTimeoutAndTheOutcomeGoesToTheCallback) {
  testing::Servers servers{{"--no-redis"}};
  const std::string topic = testing::unique_name("wait");
  testing::create_topic(servers.brokers(), topic);
  Options options;
  options.kafka.brokers = servers.brokers();
  options.kafka.topic = topic;
  std::vector<Outcome> called_back;
  options.on_outcomes = [&called_back](std::span<const Outcome> outcomes) {
    called_back.insert(called_back.end(), outcomes.begin(), outcomes.end());
  };
  std::unique_ptr<Engine> engine;
  ASSERT_TRUE(Engine::open(options, engine).ok());
  servers.freeze("kafka");
  const std::array<EventView, 1> events{
      {{.id = "1", .type = "T", .source_type = "s", .source_id = "x", .tag = 42}}};
  std::array<Outcome, 1> outcomes;
  {
    Publisher publisher = engine->publisher();
    const Status status = publisher.publish_and_wait(events, milliseconds{200}, outcomes);
    EXPECT_EQ(status.code, StatusCode::timed_out) << status.message;
    EXPECT_EQ(outcomes[0].kind, OutcomeKind::pending);
  }
  servers.thaw("kafka");
  EXPECT_TRUE(engine->stop(seconds{20}).ok());
  ASSERT_EQ(called_back.size(), 1U);
  EXPECT_EQ(called_back[0].kind, OutcomeKind::delivered);
  EXPECT_EQ(called_back[0].tag, 42U);
}

}  // namespace
}  // namespace dualstream
