// One broker that is not there, is killed, restarted or frozen in mid load: events wait for it,
// nothing is lost, each stands once and in order.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>

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
using testing::BackgroundLoad;
using testing::EngineRun;
using testing::eventually;
using testing::fault_scale;
using testing::Load;

constexpr Load kRound{.threads = 4, .events = 400, .sources = 500};
constexpr int kPartitions = 4;

class BrokerFaultTest : public ::testing::Test {
 protected:
  BrokerFaultTest() {
    testing::create_topic(servers_.brokers(), topic_, {.partitions = kPartitions});
  }

  Options options() { return EngineRun::options(servers_.brokers(), topic_); }

  std::uint64_t random_between(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>{least, most}(random_);
  }

  // A fault lasts so long, whatever happens meanwhile.
  static void last(milliseconds duration) {
    const auto began = std::chrono::steady_clock::now();
    static_cast<void>(
        eventually(duration, [&] { return std::chrono::steady_clock::now() - began >= duration; }));
  }

  void wait_for_outcomes(EngineRun& run, std::size_t more) {
    const std::size_t before = run.outcomes();
    ASSERT_TRUE(eventually(seconds{30}, [&] { return run.outcomes() >= before + more; }));
  }

  // Waits until something is acknowledged again, and says how long it took.
  static void expect_acknowledged_again(const EngineRun& run, seconds timeout) {
    const auto began = std::chrono::steady_clock::now();
    const std::uint64_t before = run.stats()[Counter::delivered];
    EXPECT_TRUE(eventually(timeout, [&] { return run.stats()[Counter::delivered] > before; }));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::cout << "acknowledged again after " << took.count() << " s\n";
    ::testing::Test::RecordProperty("measured_seconds_to_recover", std::to_string(took.count()));
  }

  // A replaced client may repeat what was in flight, nothing else may.
  static void expect_everything_once(EngineRun& run, std::size_t accepted) {
    EXPECT_TRUE(run.stop(seconds{120}).ok());
    const Stats stats = run.stats();
    EXPECT_EQ(stats[Counter::delivered], accepted);
    const auto report = run.check_topic();
    EXPECT_TRUE(report.ok_but_for_duplicates()) << report.text;
    EXPECT_TRUE(report.duplicates == 0 || stats[Counter::producer_rebuilds] > 0) << report.text;
    say(accepted, report, stats);
  }

  // After requests that stayed unanswered for longer than socket.timeout.ms and may have been
  // carried out all the same, which happened `times` times, librdkafka 2.0 may begin its session
  // anew by itself and repeat them; or it is told of a repeat without an offset, and the event
  // fails as one that may be there, and is.
  void expect_everything_there(EngineRun& run, std::size_t accepted, std::size_t times) {
    EXPECT_TRUE(run.stop(seconds{120}).ok());
    const Stats stats = run.stats();
    EXPECT_EQ(stats[Counter::delivered] + stats[Counter::failed_maybe_persisted], accepted);
    const auto report = run.check_topic();
    EXPECT_TRUE(report.ok_but_for_duplicates()) << report.text;
    EXPECT_EQ(report.records, accepted + report.duplicates) << "each is there";
    EXPECT_LE(report.duplicates, times * options().kafka.batch_events_max * kPartitions)
        << "what was under way";
    say(accepted, report, stats);
  }

  static void say(std::size_t accepted, const testing::CheckReport& report, const Stats& stats) {
    std::cout << accepted << " events, " << report.records << " records, " << report.duplicates
              << " twice, " << stats[Counter::producer_rebuilds] << " clients replaced\n";
  }

  testing::Servers servers_{{"--no-redis"}};
  const std::string topic_ = testing::unique_name("broker");
  std::mt19937_64 random_{testing::fault_seed()};
};

TEST_F(BrokerFaultTest, K1_AbsentAtStartSaysFullAtTheBoundAndDeliversWhenItAppears) {
  servers_.stop("kafka");
  Options waiting = options();
  waiting.kafka.open_timeout = milliseconds{200};
  waiting.queue.events_max = 20'000;
  EngineRun run{waiting};
  const auto offered = run.publish({.threads = 4, .events = 30'000, .patience = milliseconds{0}});
  EXPECT_EQ(offered.accepted, 20'000U);
  EXPECT_EQ(offered.full, 10'000U);
  EXPECT_LE(run.stats()[Counter::pending_bytes], memory_bytes_max(waiting));
  servers_.start("kafka");
  expect_acknowledged_again(run, seconds{10});
  expect_everything_once(run, 20'000);
}

TEST_F(BrokerFaultTest, K2_KilledInMidLoadAndBackLosesAndRepeatsNothing) {
  EngineRun run{options()};
  BackgroundLoad load{run, kRound};
  for (std::size_t round = 0; round < fault_scale(); ++round) {
    wait_for_outcomes(run, random_between(2'000, 20'000));
    servers_.kill("kafka");
    last(milliseconds{fault_scale() > 1 ? 5'000 : random_between(100, 1'500)});
    servers_.start("kafka");
    expect_acknowledged_again(run, seconds{20});
  }
  expect_everything_once(run, load.finish().accepted);
}

TEST_F(BrokerFaultTest, K3_RestartedCleanlyLosesAndRepeatsNothing) {
  EngineRun run{options()};
  BackgroundLoad load{run, kRound};
  const std::size_t restarts = fault_scale() > 1 ? 5 : 2;
  for (std::size_t restart = 0; restart < restarts; ++restart) {
    wait_for_outcomes(run, random_between(2'000, 20'000));
    servers_.stop("kafka");
    servers_.start("kafka");
    expect_acknowledged_again(run, seconds{20});
  }
  expect_everything_once(run, load.finish().accepted);
}

TEST_F(BrokerFaultTest, K4_FrozenForAWhileFailsNothing) {
  EngineRun run{options()};
  BackgroundLoad load{run, kRound};
  wait_for_outcomes(run, random_between(2'000, 20'000));
  servers_.freeze("kafka");
  last(milliseconds{fault_scale() > 1 ? 10'000 : random_between(500, 3'000)});
  servers_.thaw("kafka");
  expect_acknowledged_again(run, seconds{20});
  EXPECT_EQ(run.stats()[Counter::failed], 0U);
  expect_everything_once(run, load.finish().accepted);
}

// The client gives the connection up and asks again on a new one, while the old request may still
// be carried out.
TEST_F(BrokerFaultTest, K4_FrozenLongerThanTheSocketTimeoutIsRetried) {
  Options options_now = options();
  options_now.kafka.delivery_timeout = seconds{300};
  const bool whole = fault_scale() > 1;
  if (!whole) options_now.kafka.properties = {{"socket.timeout.ms", "1000"}};
  EngineRun run{options_now};
  BackgroundLoad load{run, kRound};
  wait_for_outcomes(run, random_between(2'000, 20'000));
  servers_.freeze("kafka");
  last(whole ? milliseconds{90'000} : milliseconds{random_between(2'000, 4'000)});
  servers_.thaw("kafka");
  expect_acknowledged_again(run, seconds{30});
  EXPECT_EQ(run.failed(Failure::timed_out), 0U);
  expect_everything_there(run, load.finish().accepted, 1);
}

// Old requests, the connection's end and requests sent again meet at the broker.
TEST_F(BrokerFaultTest, K4_ThawedJustAsTheClientGivesUp) {
  Options options_now = options();
  options_now.kafka.delivery_timeout = seconds{300};
  options_now.kafka.properties = {{"socket.timeout.ms", "1000"}};
  EngineRun run{options_now};
  BackgroundLoad load{run, kRound};
  const std::size_t rounds = 5 * fault_scale();
  for (std::size_t round = 0; round < rounds; ++round) {
    wait_for_outcomes(run, random_between(2'000, 5'000));
    servers_.freeze("kafka");
    last(milliseconds{random_between(900, 1'300)});
    servers_.thaw("kafka");
    expect_acknowledged_again(run, seconds{30});
  }
  EXPECT_EQ(run.failed(Failure::timed_out), 0U);
  expect_everything_there(run, load.finish().accepted, rounds);
}

}  // namespace
}  // namespace dualstream
