// A callback that misbehaves costs nobody an outcome: it throws, blocks, publishes or stops.
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

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

class CallbackFaultTest : public ::testing::Test {
 protected:
  CallbackFaultTest() { testing::create_topic(servers_.brokers(), topic_); }

  Options options(std::function<void(std::span<const Outcome>)> on_outcomes) {
    Options options = EngineRun::options(servers_.brokers(), topic_, servers_.redis_address());
    options.on_outcomes = std::move(on_outcomes);
    return options;
  }

  static void expect_all_of(EngineRun& run, std::size_t events) {
    const auto report = run.check_topic();
    EXPECT_TRUE(report.ok()) << report.text;
    EXPECT_EQ(report.records, events);
  }

  const testing::SharedServers servers_;
  const std::string topic_ = testing::unique_name("callback");
};

TEST_F(CallbackFaultTest, P6_ThrowingIsCountedAndTheNextOutcomeStillComes) {
  std::atomic<std::uint64_t> calls{0};
  EngineRun run{options([&](std::span<const Outcome>) {
    if (++calls % 2 == 0) throw 42;
    throw std::runtime_error{"thrown by the test"};
  })};
  run.publish({.threads = 4, .events = 50'000});
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::callback_exceptions], calls.load());
  EXPECT_EQ(run.stats()[Counter::delivered], 50'000U);
  expect_all_of(run, 50'000);
}

TEST_F(CallbackFaultTest, P6_WhileItBlocksPublishAnswersAtOnceAndAfterwardsAllIsDelivered) {
  constexpr milliseconds kBlocked{2'000};
  std::atomic<bool> blocking{false};
  std::atomic<bool> blocked{false};
  Options small = options([&](std::span<const Outcome>) {
    if (blocked.exchange(true)) return;
    blocking = true;
    std::this_thread::sleep_for(kBlocked);  // tidy: allow(sleep) it is the fault
    blocking = false;
  });
  small.queue.events_max = 10'000;
  EngineRun run{small};
  run.publish({.threads = 1, .events = 1});
  ASSERT_TRUE(eventually(seconds{10}, [&] { return blocking.load(); }));
  const auto meanwhile = run.publish({.threads = 4, .events = 20'000, .patience = milliseconds{0}});
  EXPECT_TRUE(blocking) << "20,000 calls took less than the callback";
  EXPECT_EQ(meanwhile.accepted + 1, 10'000U);
  EXPECT_EQ(meanwhile.full, 10'001U);
  EXPECT_LT(meanwhile.slowest_publish, kBlocked / 4);
  ASSERT_TRUE(run.drained_within(seconds{120})) << "room comes when it returns";
  run.publish({.threads = 4, .events = 20'000});
  EXPECT_TRUE(run.stop().ok());
  expect_all_of(run, 30'000);
}

TEST_F(CallbackFaultTest, P6_PublishingThereNeverWaitsForItself) {
  // Each outcome publishes once more, into a queue that is nearly always full and with a timeout of
  // an hour: only the callback's own end makes room.
  EngineRun* running = nullptr;
  std::unique_ptr<Publisher> publisher;
  const testing::VerifyingEvents other{{.source_prefix = "callback/s"}};
  std::size_t accepted = 0;
  std::size_t full = 0;
  std::chrono::nanoseconds slowest{0};
  Options small = options([&](std::span<const Outcome> outcomes) {
    for (const Outcome& outcome : outcomes) {
      if (outcome.event.type == "Again") continue;
      const auto start = std::chrono::steady_clock::now();
      const auto result = publisher->publish(
          {.id = outcome.event.id,
           .type = "Again",
           .source_type = "again",
           .source_id = outcome.event.source_id,
           .payload = "{}",
           .tag = testing::VerifyingEvent{.source = 1'000'000, .sequence = accepted + full}
                      .view()
                      .tag},
          std::chrono::hours{1});
      slowest =
          std::max<std::chrono::nanoseconds>(slowest, std::chrono::steady_clock::now() - start);
      accepted += result == PublishResult::accepted ? 1 : 0;
      full += result == PublishResult::full ? 1 : 0;
    }
  });
  small.queue.events_max = 100;
  EngineRun run{small};
  running = &run;
  publisher = std::make_unique<Publisher>(running->engine().publisher());
  run.publish({.threads = 4, .events = 20'000});
  EXPECT_TRUE(run.drained_within(seconds{120}));
  EXPECT_TRUE(run.stop().ok());
  publisher.reset();
  EXPECT_EQ(accepted + full, 20'000U);
  EXPECT_GT(accepted, 0U);
  EXPECT_GT(full, 0U) << "the queue was full at times";
  EXPECT_LT(slowest, seconds{1});
  EXPECT_EQ(run.stats()[Counter::delivered], 20'000U + accepted);
  const auto report = run.check_topic();
  EXPECT_EQ(report.records, 20'000U + accepted);
  // Those published again are not events of the run's own making: all else is as it has to be.
  EXPECT_EQ(report.corrupt, accepted) << report.text;
  EXPECT_EQ(report.missing, accepted) << report.text;
  EXPECT_EQ(report.duplicates + report.out_of_order, 0U) << report.text;
  RecordProperty("lost", std::to_string(report.missing - accepted));
}

TEST_F(CallbackFaultTest, P6_StoppingThereIsAnErrorAndTheEngineGoesOn) {
  EngineRun* running = nullptr;
  std::atomic<int> refused{0};
  std::atomic<int> stopped{0};
  EngineRun run{options([&](std::span<const Outcome>) {
    const Status status = running->engine().stop(seconds{30});
    (status.code == StatusCode::stopped ? refused : stopped) += 1;
  })};
  running = &run;
  run.publish({.threads = 4, .events = 20'000});
  EXPECT_TRUE(run.stop().ok());
  EXPECT_GT(refused, 0);
  EXPECT_EQ(stopped, 0);
  expect_all_of(run, 20'000);
}

}  // namespace
}  // namespace dualstream
