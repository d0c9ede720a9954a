// Events larger than somebody takes: refused at publish() where the limit is known, and where it
// was lowered under way an event that is too large costs only itself.
#include <string>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/fault_run.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EngineRun;
using testing::eventually;

class EventSizeFaultTest : public ::testing::Test {
 protected:
  Options options() { return EngineRun::options(servers_.brokers(), topic_); }

  void create(const std::string& message_bytes_max) {
    testing::create_topic(servers_.brokers(), topic_,
                          {.config = {{"max.message.bytes", message_bytes_max}}});
  }

  // An event of `bytes` of key and payload.
  static PublishResult publish(Publisher& publisher, std::size_t bytes) {
    const std::string payload(bytes - 1, 'x');
    return publisher.publish(
        {.id = "1", .type = "T", .source_type = "s", .source_id = "x", .payload = payload});
  }

  const testing::SharedServers servers_;
  const std::string topic_ = testing::unique_name("event-size");
};

TEST_F(EventSizeFaultTest, K10_TheClientsLimitIsExact) {
  create("2000000");
  Options ours = options();
  std::unique_ptr<Engine> engine;
  ASSERT_TRUE(Engine::open(ours, engine).ok());
  Publisher publisher = engine->publisher();
  EXPECT_EQ(publish(publisher, ours.kafka.event_bytes_max + 1), PublishResult::too_large);
  EXPECT_NE(publisher.refusal_reason().find("kafka.event_bytes_max"), std::string_view::npos);
  EXPECT_EQ(publish(publisher, ours.kafka.event_bytes_max), PublishResult::accepted);
  EXPECT_TRUE(engine->stop(seconds{10}).ok());
  EXPECT_EQ(engine->stats()[Counter::delivered], 1U);
  EXPECT_EQ(testing::read_topic(servers_.brokers(), topic_).size(), 1U);
}

TEST_F(EventSizeFaultTest, K10_TheTopicsLimitIsKnownFromTheStartAndKafkaTakesAllThatItAllows) {
  create("3000");
  std::unique_ptr<Engine> engine;
  ASSERT_TRUE(Engine::open(options(), engine).ok());
  Publisher publisher = engine->publisher();
  std::size_t accepted = 0;
  for (std::size_t bytes = 2'850; bytes <= 3'050; ++bytes) {
    const PublishResult result = publish(publisher, bytes);
    if (result == PublishResult::accepted) {
      accepted += 1;
      continue;
    }
    EXPECT_EQ(result, PublishResult::too_large);
    EXPECT_NE(publisher.refusal_reason().find("max.message.bytes"), std::string_view::npos);
  }
  EXPECT_EQ(accepted, 68U) << "up to 2,917";
  EXPECT_TRUE(engine->stop(seconds{10}).ok());
  EXPECT_EQ(engine->stats()[Counter::delivered], accepted);
  EXPECT_EQ(engine->stats()[Counter::refused_too_large], 201U - accepted);
  EXPECT_EQ(testing::read_topic(servers_.brokers(), topic_).size(), accepted);
}

TEST_F(EventSizeFaultTest, K10_ASmallLimitCapsTheBatchesToo) {
  create("2000");
  EngineRun run{options()};
  run.publish({.threads = 4, .events = 5'000});
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::delivered], 5'000U);
  EXPECT_EQ(run.stats()[Counter::retried_batches], 0U) << "none was refused";
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
}

TEST_F(EventSizeFaultTest, K10_LoweredInMidLoadNoLegalEventFailsAndOrderIsKept) {
  create("1048588");
  const std::size_t events = 10'000 * testing::fault_scale();
  EngineRun run{options()};
  run.publish({.threads = 4, .events = events});
  testing::configure_topic(servers_.brokers(), topic_, {{"max.message.bytes", "2000"}});
  run.publish({.threads = 4, .events = events});
  EXPECT_TRUE(run.drained_within(seconds{120}));
  EXPECT_TRUE(eventually(seconds{10}, [&] { return run.log_lines_with("to 2000") == 1; }));
  Publisher publisher = run.engine().publisher();
  EXPECT_EQ(publish(publisher, 2'500), PublishResult::too_large) << "it is known now";
  testing::configure_topic(servers_.brokers(), topic_, {{"max.message.bytes", "1048588"}});
  EXPECT_TRUE(eventually(seconds{10}, [&] { return run.log_lines_with("to 1048588") == 1; }));
  run.publish({.threads = 4, .events = events});
  EXPECT_TRUE(run.stop().ok());
  std::printf("retried batches: %llu\n",
              static_cast<unsigned long long>(run.stats()[Counter::retried_batches]));
  EXPECT_EQ(run.stats()[Counter::delivered], 3 * events) << "innocent victims: 0";
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, 3 * events);
}

TEST_F(EventSizeFaultTest, K10_AnEventThatBecameTooLargeCostsOnlyItself) {
  create("1048588");
  EngineRun run{options()};
  run.publish({.threads = 4, .events = 1'000});
  ASSERT_TRUE(run.drained_within(seconds{10}));
  testing::configure_topic(servers_.brokers(), topic_, {{"max.message.bytes", "2000"}});
  // Legal when it is accepted: the engine looks at the topic every 5 s, and has just done so.
  const std::string payload(3'000, 'x');
  std::size_t oversize = 0;
  {
    Publisher publisher = run.engine().publisher();
    for (int i = 0; i < 10; ++i) {
      run.publish({.threads = 4, .events = 500});
      const auto result = publisher.publish({.id = "1",
                                             .type = "T",
                                             .source_type = "s",
                                             .source_id = "oversize",
                                             .payload = payload,
                                             .tag = ~std::uint64_t{0}});
      oversize += result == PublishResult::accepted ? 1 : 0;
    }
  }
  EXPECT_TRUE(run.stop().ok());
  std::printf("%zu events were accepted before the limit was known\n", oversize);
  EXPECT_EQ(run.failed(Failure::too_large), oversize);
  EXPECT_EQ(run.stats()[Counter::failed], oversize) << "innocent victims: 0";
  EXPECT_EQ(run.stats()[Counter::failed_maybe_persisted], 0U);
  EXPECT_EQ(run.stats()[Counter::delivered], 6'000U);
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, 6'000U);
}

}  // namespace
}  // namespace dualstream
