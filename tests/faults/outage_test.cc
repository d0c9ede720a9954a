// An outage longer than the delivery timeout: each event has the outcome that the log bears out,
// and comes back whole.
#include <atomic>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/fault_run.h"
#include "support/kafka_admin.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EngineRun;
using testing::eventually;

TEST(OutageFaultTest, K16_LongerThanTheDeliveryTimeoutInMidLoad) {
  testing::Servers servers{{"--no-redis"}};
  const std::string topic = testing::unique_name("outage");
  testing::create_topic(servers.brokers(), topic);
  const testing::VerifyingEvents known;
  std::atomic<std::size_t> whole{0};
  Options options = EngineRun::options(servers.brokers(), topic);
  options.kafka.delivery_timeout = milliseconds{3'000};
  options.queue.events_max = 20'000;
  options.on_outcomes = [&](std::span<const Outcome> outcomes) {
    for (const Outcome& outcome : outcomes) {
      if (outcome.kind != OutcomeKind::failed) continue;
      const auto event = known.recognise(outcome.event.payload);
      whole += event && event->view().tag == outcome.tag && event->id == outcome.event.id ? 1 : 0;
    }
  };
  EngineRun run{options};
  for (std::size_t round = 0; round < testing::fault_scale(); ++round) {
    std::thread loading{[&] { run.publish({.threads = 4, .events = 100'000}); }};
    const std::size_t before = run.outcomes();
    EXPECT_TRUE(eventually(seconds{30}, [&] { return run.outcomes() > before + 10'000; }));
    servers.kill("kafka");
    EXPECT_TRUE(eventually(seconds{30}, [&] { return run.failed(Failure::timed_out) > round; }));
    servers.start("kafka");
    loading.join();
  }
  EXPECT_TRUE(run.drained_within(seconds{120}));
  run.publish({.threads = 4, .events = 1'000});
  EXPECT_TRUE(run.stop().ok());
  const Stats stats = run.stats();
  std::printf("delivered %llu, failed %llu, of them maybe persisted %llu\n",
              static_cast<unsigned long long>(stats[Counter::delivered]),
              static_cast<unsigned long long>(stats[Counter::failed]),
              static_cast<unsigned long long>(stats[Counter::failed_maybe_persisted]));
  EXPECT_EQ(run.failed(Failure::timed_out), stats[Counter::failed]);
  EXPECT_GT(stats[Counter::failed], 0U);
  EXPECT_EQ(whole, stats[Counter::failed]) << "each can be saved and published again";
  // Present if delivered, absent if it says `no`. When some of what is in flight times out, the
  // client begins its numbering anew: the rest of a request whose answer was lost is sent again,
  // and stands twice if the first one had arrived.
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok_but_for_duplicates()) << report.text;
  EXPECT_LE(report.duplicates, testing::fault_scale() * options.kafka.batch_events_max);
  std::printf("twice: %zu\n", report.duplicates);
}

}  // namespace
}  // namespace dualstream
