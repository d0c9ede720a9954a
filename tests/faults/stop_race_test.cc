// Publishing, stopping and destroying at the same time, again and again: each accepted event has
// one outcome, and nothing hangs.
#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

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

class StopRaceFaultTest : public ::testing::Test {
 protected:
  StopRaceFaultTest() { testing::create_topic(servers_.brokers(), topic_); }

  Options options() {
    return EngineRun::options(servers_.brokers(), topic_, servers_.redis_address());
  }

  std::size_t random_up_to(std::size_t max) {
    return std::uniform_int_distribution<std::size_t>{0, max}(random_);
  }

  // 10,000 of each in the whole table of five seeds.
  static std::size_t rounds_of() {
    const std::size_t scale = testing::fault_scale();
    return scale > 1 ? 200 * scale : 60;
  }

  const testing::SharedServers servers_;
  const std::string topic_ = testing::unique_name("stop-race");
  std::mt19937_64 random_{testing::fault_seed()};
};

TEST_F(StopRaceFaultTest, P7_PublishDuringAndAfterStopFromEightThreads) {
  const std::size_t rounds = rounds_of();
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    EngineRun run{options(), {.seed = round}};
    std::atomic<std::size_t> attempted{0};
    std::vector<std::thread> publishing;
    for (std::size_t i = 0; i < 3; ++i) {
      publishing.emplace_back([&run, &attempted, i] {
        Publisher publisher = run.engine().publisher();
        const testing::VerifyingEvents events{{.source_prefix = "race/s"}};
        // Goes on after the stop: a thousand refusals more.
        for (std::uint64_t sequence = 0, after = 0; after < 1'000; ++sequence) {
          const auto event = events.make(i, sequence);
          const auto result = sequence % 2 == 0 ? publisher.publish(event.view())
                                                : publisher.publish(event.view(), seconds{30});
          if (result == PublishResult::stopping) after += 1;
          ++attempted;
        }
      });
    }
    const std::size_t enough = random_up_to(5'000);
    ASSERT_TRUE(eventually(seconds{30}, [&] { return attempted >= enough; }));
    const milliseconds deadline{random_up_to(3) == 0 ? 0 : 10'000};
    std::vector<Status> said(8);
    std::vector<std::thread> stopping;
    for (Status& status : said) {
      stopping.emplace_back([&] { status = run.engine().stop(deadline); });
    }
    for (std::thread& thread : stopping) thread.join();
    for (std::thread& thread : publishing) thread.join();
    for (const Status& status : said) {
      EXPECT_EQ(status.message, said.front().message) << "all are told the same";
    }
    EXPECT_TRUE(said.front().ok() || deadline == milliseconds{0}) << said.front().message;
    static_cast<void>(run.stop());
    const Stats stats = run.stats();
    EXPECT_EQ(stats[Counter::refused_stopping], 3'000U);
    accepted += stats[Counter::delivered] + stats[Counter::failed_maybe_persisted];
    refused += stats[Counter::failed];
    if (HasFailure()) FAIL() << "in round " << round;
  }
  const std::size_t records = testing::read_topic(servers_.brokers(), topic_).size();
  EXPECT_LE(records, accepted);
  EXPECT_GE(records + refused, accepted);
}

TEST_F(StopRaceFaultTest, P7_DestroyedWithoutAStop) {
  const std::size_t rounds = rounds_of();
  std::size_t delivered = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::atomic<std::size_t> accepted{0};
    std::atomic<std::size_t> outcomes{0};
    Options counting = options();
    counting.on_outcomes = [&](std::span<const Outcome> some) {
      outcomes += some.size();
      delivered += static_cast<std::size_t>(std::ranges::count(
          some, OutcomeKind::delivered, [](const Outcome& outcome) { return outcome.kind; }));
    };
    std::unique_ptr<Engine> engine;
    const Status opened = Engine::open(counting, engine);
    ASSERT_TRUE(opened.ok()) << opened.message;
    const std::size_t count = random_up_to(2'000);
    std::vector<std::thread> publishing;
    for (std::size_t i = 0; i < 3; ++i) {
      publishing.emplace_back([&, i] {
        Publisher publisher = engine->publisher();
        const testing::VerifyingEvents events;
        for (std::uint64_t sequence = 0; sequence < count; ++sequence) {
          const auto event = events.make(i, sequence);
          if (publisher.publish(event.view()) == PublishResult::accepted) ++accepted;
        }
      });
    }
    for (std::thread& thread : publishing) thread.join();
    engine.reset();
    ASSERT_EQ(outcomes, accepted) << "in round " << round;
  }
  EXPECT_EQ(testing::read_topic(servers_.brokers(), topic_).size(), delivered);
}

}  // namespace
}  // namespace dualstream
