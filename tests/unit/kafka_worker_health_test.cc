// What the KafkaWorker says of Kafka: its health, its log lines, and the reason of what fails while
// the topic is missing.
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/kafka_worker_test.h"

namespace dualstream::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::at;

TEST_F(KafkaWorkerTest, IsUnreachableUntilTheClusterAnswersAndWhenItFallsSilent) {
  start();
  EXPECT_EQ(worker_->health(at(seconds{0})).first, KafkaHealth::unreachable);
  kafka_->answered = at(seconds{1});
  EXPECT_EQ(worker_->health(at(seconds{2})).first, KafkaHealth::up);
  kafka_->notices.push_back({NoticeKind::unreachable, "3/3 brokers are down"});
  step(seconds{3});
  EXPECT_EQ(worker_->health(at(seconds{3})).first, KafkaHealth::up)
      << "a broker that is gone is not all of them";
  const auto silent = worker_->health(at(seconds{10}));
  EXPECT_EQ(silent.first, KafkaHealth::unreachable);
  EXPECT_EQ(silent.second, "3/3 brokers are down");
  with_partitions({1});
  publish("source", 1);
  step(seconds{11});
  kafka_->acknowledge();
  step(seconds{12});
  EXPECT_EQ(worker_->health(at(seconds{13})).first, KafkaHealth::up) << "it acknowledged";
}

TEST_F(KafkaWorkerTest, IsUnauthorizedUntilSomethingIsAcknowledged) {
  start();
  kafka_->answered = at(seconds{1});
  with_partitions({1});
  publish("source", 1);
  step(seconds{1});
  kafka_->report(1, Failure::unauthorized, Persisted::no);
  step(seconds{1});
  const auto health = worker_->health(at(seconds{1}));
  EXPECT_EQ(health.first, KafkaHealth::unauthorized);
  EXPECT_EQ(health.second, "said by the fake");
  publish("source", 2);
  step(seconds{2});
  kafka_->acknowledge();
  step(seconds{2});
  EXPECT_EQ(worker_->health(at(seconds{2})).first, KafkaHealth::up);
}

TEST_F(KafkaWorkerTest, ATopicThatComesBackIsWellBeforeAnyEvent) {
  start();
  kafka_->answered = at(seconds{1});
  kafka_->notices.push_back({NoticeKind::topic, "the cluster has no topic `t`"});
  step(seconds{1});
  EXPECT_EQ(worker_->health(at(seconds{1})).first, KafkaHealth::topic);
  with_partitions({1});
  step(seconds{2});
  EXPECT_EQ(worker_->health(at(seconds{2})).first, KafkaHealth::up);
}

TEST_F(KafkaWorkerTest, WhatWaitedForATopicThatIsGoneFailsForThatReason) {
  start({.delivery_timeout = seconds{5}});
  with_partitions({1});
  for (std::uint64_t tag = 0; tag < 3; ++tag) publish("source", tag);
  kafka_->room = 1;
  step();
  kafka_->report(1, Failure::unknown_topic, Persisted::no);
  kafka_->room = 0;
  step(seconds{6});
  ASSERT_EQ(tags(OutcomeKind::failed), (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_EQ(outcomes_[2].failure, Failure::unknown_topic);
  EXPECT_EQ(counters_.get(Counter::failed_unknown_topic), 3U);
}

TEST_F(KafkaWorkerTest, WhatTheClientHeldUntilItsTimeWasOverFailsForTheMissingTopicToo) {
  start();
  with_partitions({1});
  publish("source", 1);
  publish("source", 2);
  step();
  kafka_->report(1, Failure::timed_out, Persisted::maybe);
  step(seconds{1});
  kafka_->notices.push_back({NoticeKind::topic, "the cluster has no topic `t`"});
  step(seconds{2});
  kafka_->report(1, Failure::timed_out, Persisted::maybe);
  step(seconds{3});
  ASSERT_EQ(tags(OutcomeKind::failed), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(outcomes_[0].failure, Failure::timed_out);
  EXPECT_EQ(outcomes_[1].failure, Failure::unknown_topic);
  EXPECT_EQ(outcomes_[1].persisted, Persisted::maybe) << "its reason says nothing of where it is";
}

TEST_F(KafkaWorkerTest, AnAcknowledgementFromBeforeTheTopicWentDoesNotBringItBack) {
  start();
  kafka_->answered = at(seconds{3});
  with_partitions({1});
  publish("source", 1);
  step(seconds{1});
  kafka_->notices.push_back({NoticeKind::topic, "the cluster has no topic `t`"});
  step(seconds{2});
  kafka_->acknowledge();
  step(seconds{3});
  EXPECT_EQ(tags(OutcomeKind::delivered), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(worker_->health(at(seconds{3})).first, KafkaHealth::topic);
  publish("source", 2);
  step(seconds{3});
  kafka_->acknowledge();
  step(seconds{3});
  EXPECT_EQ(worker_->health(at(seconds{3})).first, KafkaHealth::up) << "made again unnoticed";
  EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(KafkaWorkerTest, TellsEveryTimeThatTheTopicGoesAndComes) {
  start();
  kafka_->answered = at(seconds{1});
  with_partitions({1});
  for (int time = 0; time < 2; ++time) {
    kafka_->notices.push_back({NoticeKind::topic, "the cluster has no topic `t`"});
    step(seconds{1});
    EXPECT_EQ(worker_->health(at(seconds{1})).first, KafkaHealth::topic);
    with_partitions({1});
    step(seconds{1});
    EXPECT_EQ(worker_->health(at(seconds{1})).first, KafkaHealth::up);
  }
  ASSERT_EQ(lines_.size(), 4U);
  EXPECT_NE(lines_[2].find("no topic `t`"), std::string::npos) << lines_[2];
  EXPECT_NE(lines_[3].find("the topic is there again"), std::string::npos) << lines_[3];
}

TEST_F(KafkaWorkerTest, LogsTroubleOnceUntilItIsOver) {
  start();
  with_partitions({1});
  for (int i = 0; i < 5; ++i)
    kafka_->notices.push_back({NoticeKind::unreachable, "127.0.0.1:9092: refused"});
  step();
  EXPECT_EQ(lines_.size(), 1U);
  publish("source", 1);
  kafka_->acknowledge_at_once = true;
  step();
  step();
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_NE(lines_[1].find("acknowledged again"), std::string::npos);
  kafka_->notices.push_back({NoticeKind::unreachable, "127.0.0.1:9092: refused"});
  step();
  EXPECT_EQ(lines_.size(), 3U);
  EXPECT_EQ(counters_.get(Counter::kafka_errors), 6U);
}

}  // namespace
}  // namespace dualstream::kafka
