// stop() drains both streams, is idempotent, and cannot be called where it would wait for itself.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/kafka_admin.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::seconds;
using testing::EngineRun;

class StopFlowTest : public ::testing::Test {
 protected:
  StopFlowTest() { testing::create_topic(servers_.brokers(), topic_); }

  Options options() {
    return EngineRun::options(servers_.brokers(), topic_, servers_.redis_address());
  }

  const testing::SharedServers servers_;
  const std::string topic_ = testing::unique_name("stop");
};

TEST_F(StopFlowTest, DrainsBothStreamsAtFullSpeed) {
  EngineRun run{options()};
  run.publish({.threads = 2, .events = 100'000});
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::delivered], 100'000U);
  EXPECT_EQ(run.stats()[Counter::notified] + run.stats().dropped(), 100'000U);
  EXPECT_TRUE(run.check_topic().ok());
}

TEST_F(StopFlowTest, IsTheSameFromManyThreadsAndAgain) {
  EngineRun run{options()};
  run.publish({.events = 10'000});
  std::vector<std::thread> threads;
  std::atomic<int> ok{0};
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] { ok += run.engine().stop(seconds{30}).ok() ? 1 : 0; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ok, 8);
  EXPECT_TRUE(run.stop().ok());
}

TEST_F(StopFlowTest, RefusesWhatComesAfterIt) {
  EngineRun run{options()};
  EXPECT_TRUE(run.stop().ok());
  const auto result = run.publish({.threads = 1, .events = 10});
  EXPECT_EQ(result.refused, 10U);
  EXPECT_EQ(run.stats()[Counter::refused_stopping], 10U);
  EXPECT_TRUE(run.stats().balances());
}

TEST_F(StopFlowTest, PublishersMayGoOnWhileItDrains) {
  // A queue that is drained in moments, also where a sanitizer lets through a few thousand a
  // second.
  Options small = options();
  small.queue.events_max = 20'000;
  EngineRun run{small};
  std::thread publishing{[&] { run.publish({.threads = 3, .events = 300'000}); }};
  while (run.outcomes() < 1'000) std::this_thread::yield();
  EXPECT_TRUE(run.stop().ok());
  publishing.join();
  EXPECT_GT(run.stats()[Counter::refused_stopping], 0U);
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, run.stats()[Counter::accepted]);
}

TEST_F(StopFlowTest, IsAnErrorInACallbackNotADeadlock) {
  Options with_callback = options();
  std::unique_ptr<Engine> engine;
  std::atomic<int> refused{0};
  with_callback.on_outcomes = [&](std::span<const Outcome>) {
    const Status status = engine->stop(seconds{1});
    if (status.code == StatusCode::stopped && status.message.find("callback") != std::string::npos)
      ++refused;
  };
  ASSERT_TRUE(Engine::open(with_callback, engine).ok());
  {
    Publisher publisher = engine->publisher();
    EXPECT_EQ(publisher.publish({.id = "1", .type = "T", .source_type = "s", .source_id = "x"}),
              PublishResult::accepted);
  }
  EXPECT_TRUE(engine->stop(seconds{10}).ok());
  EXPECT_EQ(refused, 1);
}

TEST_F(StopFlowTest, TheDestructorDrainsToo) {
  const testing::VerifyingEvents events;
  std::atomic<int> delivered{0};
  Options with_callback = options();
  with_callback.on_outcomes = [&](std::span<const Outcome> outcomes) {
    for (const Outcome& outcome : outcomes)
      delivered += outcome.kind == OutcomeKind::delivered ? 1 : 0;
  };
  {
    std::unique_ptr<Engine> engine;
    ASSERT_TRUE(Engine::open(with_callback, engine).ok());
    Publisher publisher = engine->publisher();
    for (std::uint64_t i = 0; i < 1'000; ++i) {
      const testing::VerifyingEvent event = events.make(0, i);
      ASSERT_EQ(publisher.publish(event.view()), PublishResult::accepted);
    }
  }
  EXPECT_EQ(delivered, 1'000);
}

}  // namespace
}  // namespace dualstream
