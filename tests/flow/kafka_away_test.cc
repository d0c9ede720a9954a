// Kafka absent at start, killed, or frozen: events wait up to the bound, then `full`; what can be
// delivered is, once.
#include <string>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/kafka_admin.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EngineRun;
using testing::eventually;

class KafkaAwayFlowTest : public ::testing::Test {
 protected:
  KafkaAwayFlowTest() { testing::create_topic(servers_.brokers(), topic_, {.partitions = 4}); }

  Options options() { return EngineRun::options(servers_.brokers(), topic_); }

  testing::Servers servers_{{"--no-redis"}};
  const std::string topic_ = testing::unique_name("kafka-away");
};

TEST_F(KafkaAwayFlowTest, AbsentAtStartAndAppearingLater) {
  servers_.stop("kafka");
  Options waiting = options();
  waiting.kafka.open_timeout = milliseconds{200};
  EngineRun run{waiting};
  EXPECT_EQ(run.log_lines_with("no broker at"), 1U);
  run.publish({.events = 10'000});
  EXPECT_EQ(run.stats()[Counter::pending], 10'000U);
  servers_.start("kafka");
  EXPECT_TRUE(run.drained_within(seconds{10}));
  EXPECT_TRUE(run.stop().ok());
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, 10'000U);
}

TEST_F(KafkaAwayFlowTest, FrozenSaysFullAtTheBoundAndRecovers) {
  Options small = options();
  small.queue.events_max = 5'000;
  EngineRun run{small};
  run.publish({.events = 1'000});
  ASSERT_TRUE(run.drained_within(seconds{10}));
  servers_.freeze("kafka");
  const auto refused = run.publish({.threads = 1, .events = 8'000, .patience = milliseconds{0}});
  EXPECT_EQ(refused.accepted, 5'000U);
  EXPECT_EQ(refused.full, 3'000U);
  EXPECT_EQ(run.stats()[Counter::refused_full], 3'000U);
  EXPECT_EQ(run.stats()[Counter::pending], 5'000U);
  const auto waited = run.publish({.threads = 1, .events = 1, .patience = milliseconds{50}});
  EXPECT_EQ(waited.full, 1U);
  EXPECT_GE(waited.slowest_publish, milliseconds{50}) << "it waited as long as it was told to";
  servers_.thaw("kafka");
  const auto after = run.publish({.threads = 1, .events = 8'000, .patience = seconds{30}});
  EXPECT_EQ(after.accepted, 8'000U);
  EXPECT_TRUE(run.stop().ok());
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, 14'000U);
}

TEST_F(KafkaAwayFlowTest, KilledInMidLoadAndBackLosesAndRepeatsNothing) {
  EngineRun run{options()};
  run.publish({.threads = 4, .events = 50'000});
  servers_.kill("kafka");
  run.publish({.threads = 4, .events = 50'000});
  servers_.start("kafka");
  run.publish({.threads = 4, .events = 50'000});
  EXPECT_TRUE(run.stop(seconds{60}).ok());
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, 150'000U);
}

TEST_F(KafkaAwayFlowTest,
       AnOutageLongerThanTheDeliveryTimeoutFailsEachEventAndSaysIfItMayBeInTheLog) {
  Options impatient = options();
  impatient.kafka.delivery_timeout = milliseconds{1'500};
  EngineRun run{impatient};
  run.publish({.events = 1'000});
  ASSERT_TRUE(run.drained_within(seconds{10}));
  servers_.kill("kafka");
  run.publish({.events = 5'000});
  EXPECT_TRUE(run.drained_within(seconds{15}));
  EXPECT_EQ(run.failed(Failure::timed_out), 5'000U);
  servers_.start("kafka");
  run.publish({.events = 1'000});
  EXPECT_TRUE(run.stop().ok());
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
}

TEST_F(KafkaAwayFlowTest, StopAtItsDeadlineGivesEveryEventItsOutcomeAndSaysWhatWasLeft) {
  EngineRun run{options()};
  run.publish({.events = 1'000});
  ASSERT_TRUE(run.drained_within(seconds{10}));
  servers_.freeze("kafka");
  run.publish({.events = 3'000});
  const auto start = std::chrono::steady_clock::now();
  const Status status = run.stop(seconds{2});
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds{5});
  EXPECT_EQ(status.code, StatusCode::timed_out);
  EXPECT_NE(status.message.find("3000 events were not acknowledged"), std::string::npos)
      << status.message;
  EXPECT_EQ(run.failed(Failure::stopped), 3'000U);
  servers_.thaw("kafka");
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
}

}  // namespace
}  // namespace dualstream
