#include "kafka/kafka_worker.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kafka/partitioner.h"
#include "support/kafka_worker_test.h"

namespace dualstream::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::at;

TEST_F(KafkaWorkerTest, TellsTheCallerAndRedisWhereTheEventLies) {
  start();
  with_partitions({1, 1, 1, 1});
  publish("owner/repo", 7);
  step();
  EXPECT_TRUE(outcomes_.empty()) << "nothing is told before Kafka has answered";
  EXPECT_TRUE(notified().empty());
  kafka_->acknowledge();
  step();
  ASSERT_EQ(tags(OutcomeKind::delivered), (std::vector<std::uint64_t>{7}));
  EXPECT_EQ(outcomes_[0].partition, partition_of("owner/repo", 4));
  EXPECT_EQ(outcomes_[0].offset, 0);
  const auto all = notified();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id(), "7");
  EXPECT_EQ(all[0].partition(), partition_of("owner/repo", 4));
  EXPECT_EQ(all[0].offset(), 0);
  EXPECT_EQ(queue_.pending_bytes(), 0U);
}

TEST_F(KafkaWorkerTest, ReturnsAFailedEventWholeAndNotifiesNobody) {
  start();
  with_partitions({1});
  publish("source", 1);
  step();
  kafka_->report(1, Failure::timed_out, Persisted::maybe);
  step();
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].kind, OutcomeKind::failed);
  EXPECT_EQ(outcomes_[0].failure, Failure::timed_out);
  EXPECT_EQ(outcomes_[0].persisted, Persisted::maybe);
  EXPECT_EQ(payloads_[0], "{}");
  EXPECT_TRUE(notified().empty());
  EXPECT_EQ(counters_.get(Counter::failed_maybe_persisted), 1U);
}

TEST_F(KafkaWorkerTest, CountsFailuresByTheirReason) {
  start();
  with_partitions({1});
  for (std::uint64_t tag = 0; tag < 3; ++tag) publish("source", tag);
  step();
  kafka_->report(1, Failure::unauthorized, Persisted::no);
  kafka_->report(2, Failure::timed_out, Persisted::maybe);
  step();
  EXPECT_EQ(counters_.get(Counter::failed_unauthorized), 1U);
  EXPECT_EQ(counters_.get(Counter::failed_timed_out), 2U);
  EXPECT_EQ(counters_.get(Counter::failed_rejected), 0U);
}

TEST_F(KafkaWorkerTest, MeasuresOnlyEventsThatWereStampedAndAcknowledged) {
  start();
  with_partitions({1});
  publish("source", 1);
  publish("source", 2, {}, at(milliseconds{1}));
  publish("source", 3, {}, at(milliseconds{1}));
  step(milliseconds{2});
  kafka_->report(2, Failure::none, Persisted::no);
  kafka_->report(1, Failure::timed_out, Persisted::no);
  step(milliseconds{5});
  const Latencies measured = worker_->latencies();
  EXPECT_EQ(measured.count(), 1U);
  EXPECT_EQ(measured.sum_ns, 4'000'000U);
  EXPECT_EQ(measured.quantile(0.5), std::chrono::microseconds{4'096});
}

TEST_F(KafkaWorkerTest, SaysWhenItsNotificationsWereMade) {
  start();
  with_partitions({1});
  publish("source", 1);
  step(milliseconds{2});
  kafka_->acknowledge();
  step(milliseconds{5});
  EXPECT_EQ(notified().at(0).made_at(at(milliseconds{6})), at(milliseconds{5}));
}

TEST_F(KafkaWorkerTest, HoldsEventsUntilTheTopicIsKnown) {
  start();
  for (std::uint64_t tag = 0; tag < 10; ++tag) publish("source", tag);
  step();
  EXPECT_TRUE(kafka_->calls.empty());
  with_partitions({1, 1});
  kafka_->acknowledge_at_once = true;
  step();
  step();
  EXPECT_EQ(tags(OutcomeKind::delivered).size(), 10U);
}

TEST_F(KafkaWorkerTest, FailsWhatNoBrokerTookWithinTheDeliveryTimeout) {
  start({.delivery_timeout = seconds{5}});
  publish("source", 1);
  step(seconds{0});
  step(milliseconds{4'999});
  EXPECT_TRUE(outcomes_.empty());
  EXPECT_LE(worker_->wake_up().at, at(seconds{5}));
  step(seconds{5});
  ASSERT_EQ(tags(OutcomeKind::failed), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(outcomes_[0].failure, Failure::timed_out);
  EXPECT_EQ(outcomes_[0].persisted, Persisted::no);
}

TEST_F(KafkaWorkerTest, KeepsTheOrderOfASourceWhenTheClientHasNoRoom) {
  start();
  with_partitions({1});
  for (std::uint64_t tag = 0; tag < 10; ++tag) publish("source", tag);
  kafka_->room = 4;
  step();
  EXPECT_EQ(counters_.get(Counter::retried_batches), 1U);
  kafka_->room = SIZE_MAX;
  kafka_->acknowledge();
  step();
  EXPECT_LE(worker_->wake_up().at, at(milliseconds{10})) << "it looks again soon, by itself";
  step(milliseconds{10});
  kafka_->acknowledge();
  step(milliseconds{10});
  EXPECT_EQ(tags(OutcomeKind::delivered),
            (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(kafka_->logs[0],
            (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}));
}

TEST_F(KafkaWorkerTest, TakesARefusalAtHandOverForTheOutcomeOfThatEventAlone) {
  start();
  with_partitions({1});
  for (std::uint64_t tag = 0; tag < 5; ++tag) publish("source", tag);
  kafka_->refused_tags[2] = Failure::too_large;
  step();
  EXPECT_EQ(tags(OutcomeKind::failed), (std::vector<std::uint64_t>{2}));
  kafka_->acknowledge();
  step();
  EXPECT_EQ(tags(OutcomeKind::delivered), (std::vector<std::uint64_t>{0, 1, 3, 4}));
}

TEST_F(KafkaWorkerTest, OpensTheGateAgainWhenEveryEventOfABatchWasRefused) {
  start();
  with_partitions({1});
  publish("source", 1);
  kafka_->refused_tags[1] = Failure::unauthorized;
  step();
  publish("source", 2);
  step();
  kafka_->acknowledge();
  step();
  EXPECT_EQ(tags(OutcomeKind::delivered), (std::vector<std::uint64_t>{2}));
}

TEST_F(KafkaWorkerTest, GivesTheOutcomeToTheWaitingCallerAndToNobodyElse) {
  start();
  with_partitions({1});
  const auto answers = std::make_shared<event::Answers>(2);
  publish("source", 1, {answers, 0});
  publish("source", 2, {answers, 1});
  step();
  kafka_->report(1, Failure::none, Persisted::no);
  step();
  std::array<Outcome, 2> outcomes;
  answers->wait_until(base::Clock::now(), outcomes);  // The caller's patience ends here.
  EXPECT_EQ(outcomes[0].kind, OutcomeKind::delivered);
  EXPECT_EQ(outcomes[1].kind, OutcomeKind::pending);
  EXPECT_TRUE(outcomes_.empty());
  kafka_->acknowledge();
  step();
  EXPECT_EQ(tags(OutcomeKind::delivered), (std::vector<std::uint64_t>{2}))
      << "the late one goes to the callback";
}

TEST_F(KafkaWorkerTest, GoesOnWhenTheCallbackThrows) {
  start({.on_outcomes = [](std::span<const Outcome>) {
    throw std::runtime_error{"the host's own"};
  }});
  with_partitions({1});
  kafka_->acknowledge_at_once = true;
  for (std::uint64_t tag = 0; tag < 3; ++tag) {
    publish("source", tag);
    step();
    step();
  }
  EXPECT_EQ(counters_.get(Counter::delivered), 3U);
  EXPECT_EQ(counters_.get(Counter::callback_exceptions), 3U);
}

TEST_F(KafkaWorkerTest, LetsTheCallbackPublish) {
  start({.on_outcomes = [this](std::span<const Outcome> outcomes) {
    for (const Outcome& outcome : outcomes) {
      if (outcome.tag < 5) publish("source", outcome.tag + 1);
    }
  }});
  with_partitions({1});
  kafka_->acknowledge_at_once = true;
  publish("source", 0);
  for (int cycle = 0; cycle < 20; ++cycle) step();
  EXPECT_EQ(tags(OutcomeKind::delivered), (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5}));
}

TEST_F(KafkaWorkerTest, NapsLongerWhileOnlyAReportCanBringWork) {
  start();
  with_partitions({1});
  step();
  const base::Duration usual = worker_->wake_up().nap;
  publish("source", 1);
  step();
  EXPECT_GT(worker_->wake_up().nap, usual);
  kafka_->acknowledge();
  step();
  EXPECT_EQ(worker_->wake_up().nap, usual);
}

TEST_F(KafkaWorkerTest, AnnouncesAtAcceptanceWhenAskedTo) {
  start({.notify = NotifyAt::accepted});
  with_partitions({1});
  publish("source", 1);
  step();
  const auto all = notified();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_LT(all[0].offset(), 0);
  kafka_->acknowledge();
  step();
  EXPECT_TRUE(notified().empty()) << "once, not again at the acknowledgement";
}

TEST_F(KafkaWorkerTest, DrainsAtStopAndThenEnds) {
  start();
  with_partitions({1});
  for (std::uint64_t tag = 0; tag < 100; ++tag) publish("source", tag);
  worker_->stop_by(at(seconds{10}));
  queue_.close();
  step();
  EXPECT_FALSE(worker_->finished());
  EXPECT_FALSE(notifications_.closed());
  kafka_->acknowledge();
  step();
  EXPECT_TRUE(worker_->finished());
  EXPECT_TRUE(notifications_.closed());
  EXPECT_TRUE(kafka_->closed);
  EXPECT_EQ(tags(OutcomeKind::delivered).size(), 100U);
  EXPECT_EQ(worker_->given_up(), 0U);
}

TEST_F(KafkaWorkerTest, GivesEveryEventItsOutcomeWhenTheStopsDeadlineComesFirst) {
  start({.batching = {.batch_events_max = 10}});
  with_partitions({1});
  for (std::uint64_t tag = 0; tag < 25; ++tag) publish("source", tag);
  worker_->stop_by(at(seconds{10}));
  queue_.close();
  step();
  EXPECT_LE(worker_->wake_up().at, at(seconds{10}));
  step(seconds{10});
  step(seconds{10});
  EXPECT_TRUE(kafka_->purged);
  EXPECT_TRUE(worker_->finished());
  EXPECT_EQ(tags(OutcomeKind::failed).size(), 25U);
  EXPECT_EQ(worker_->given_up(), 25U);
  EXPECT_EQ(counters_.get(Counter::failed_maybe_persisted), 10U) << "those that the client had";
}

TEST_F(KafkaWorkerTest, ClosesTheClientWhenThePurgesReportsDoNotCome) {
  start();
  with_partitions({1});
  publish("source", 1);
  worker_->stop_by(at(seconds{1}));
  queue_.close();
  kafka_->answers_purge = false;
  step();
  step(seconds{1});
  EXPECT_FALSE(worker_->finished());
  step(seconds{1} + KafkaWorker::kPurgeGrace);
  EXPECT_TRUE(worker_->finished());
  EXPECT_EQ(tags(OutcomeKind::failed), (std::vector<std::uint64_t>{1}));
}

TEST_F(KafkaWorkerTest, UsesNewPartitionsAndSaysSo) {
  start();
  with_partitions({1, 1});
  step();
  with_partitions({1, 1, 1, 1});
  step();
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_NE(lines_[0].find("from 2 to 4 partitions"), std::string::npos);
  kafka_->acknowledge_at_once = true;
  publish("owner/repo", 1);
  step();
  step();
  ASSERT_EQ(outcomes_.size(), 1U);
  EXPECT_EQ(outcomes_[0].partition, partition_of("owner/repo", 4));
}

TEST_F(KafkaWorkerTest, AnOversizeEventCostsOnlyItself) {
  start();
  with_partitions({1});
  constexpr std::uint64_t kOversize = 37;
  for (std::uint64_t tag = 1; tag <= 100; ++tag) publish("source", tag);
  for (int round = 0; round < 200 && outcomes_.size() < 100; ++round) {
    step();
    const bool refused = std::ranges::any_of(
        kafka_->handed_over, [](const auto& one) { return one.event->tag() == kOversize; });
    kafka_->report(SIZE_MAX, refused ? Failure::too_large : Failure::none, Persisted::no);
    step();
  }
  EXPECT_EQ(tags(OutcomeKind::failed), std::vector<std::uint64_t>{kOversize});
  const auto delivered = tags(OutcomeKind::delivered);
  EXPECT_EQ(delivered.size(), 99U);
  EXPECT_TRUE(std::ranges::is_sorted(delivered)) << "in order";
  EXPECT_GT(counters_.get(Counter::retried_batches), 0U);
}

TEST_F(KafkaWorkerTest, FailsWhatWasRefusedForItsBatchAsStoppedWhenTheStopComesFirst) {
  start();
  with_partitions({1});
  for (std::uint64_t tag = 1; tag <= 10; ++tag) publish("source", tag);
  step();
  worker_->stop_by(at({}));
  queue_.close();
  kafka_->answers_purge = false;
  step();
  kafka_->report(4, Failure::too_large, Persisted::no);
  step();
  kafka_->report(4, Failure::too_large, Persisted::no);
  step(KafkaWorker::kPurgeGrace);
  ASSERT_TRUE(worker_->finished());
  ASSERT_EQ(outcomes_.size(), 10U);
  for (const Outcome& outcome : outcomes_) EXPECT_EQ(outcome.failure, Failure::stopped);
}

TEST_F(KafkaWorkerTest, KnowsThatWhatADeadClientHadMayBeInTheLog) {
  start();
  with_partitions({1});
  publish("source", 1);
  publish("source", 2);
  step();
  ASSERT_EQ(kafka_->handed_over.size(), 2U);
  kafka_->handed_over.front().event->set_may_be_in_log();
  kafka_->report(2, Failure::timed_out, Persisted::no);
  step();
  ASSERT_EQ(outcomes_.size(), 2U);
  EXPECT_EQ(outcomes_[0].persisted, Persisted::maybe);
  EXPECT_EQ(outcomes_[1].persisted, Persisted::no);
  EXPECT_EQ(counters_.get(Counter::failed_maybe_persisted), 1U);
}

TEST_F(KafkaWorkerTest, TellsPublishersTheTopicsLimit) {
  start();
  EXPECT_EQ(queue_.record_bytes_max(), SIZE_MAX);
  kafka_->topic_changes.push_back({.connections = {1}, .message_bytes_max = 2'000});
  step();
  EXPECT_EQ(queue_.record_bytes_max(), 2'000U - 83U);
  EXPECT_TRUE(lines_.empty());
  kafka_->topic_changes.push_back({.connections = {1}, .message_bytes_max = 10});
  step();
  EXPECT_EQ(queue_.record_bytes_max(), 0U) << "nothing fits, and nothing wraps around";
  EXPECT_EQ(lines_.size(), 1U);
}

TEST_F(KafkaWorkerTest, WakesUpWhenTheClientWantsToBePolled) {
  start();
  with_partitions({1});
  step();
  EXPECT_EQ(worker_->wake_up().at, base::kNever);
  kafka_->wants_poll_at = at(seconds{1});
  EXPECT_EQ(worker_->wake_up().at, at(seconds{1}));
}

}  // namespace
}  // namespace dualstream::kafka
