// Three brokers: leaders die and move, and replicas are missing. Each event arrives once, in order.
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

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

class ClusterFaultTest : public ::testing::Test {
 protected:
  // One cluster for all cases: each leaves it whole.
  static void SetUpTestSuite() {
    servers_ = std::make_unique<testing::Servers>(
        std::vector<std::string>{"--brokers", "3", "--no-redis"});
  }
  static void TearDownTestSuite() { servers_.reset(); }

  ClusterFaultTest() {
    testing::create_topic(servers_->brokers(), topic_, {.partitions = 6, .replicas = 3});
  }

  Options options() {
    Options options = EngineRun::options(servers_->brokers(), topic_);
    options.on_outcomes = [this](std::span<const Outcome> outcomes) {
      // The longest time without any acknowledgement.
      const auto now = std::chrono::steady_clock::now();
      const std::lock_guard lock{mutex_};
      if (!outcomes.empty() && last_ != std::chrono::steady_clock::time_point{})
        gap_ = std::max(gap_, now - last_);
      last_ = now;
    };
    return options;
  }

  // Publishes a steady load while `fault` happens, and for a little longer.
  template <typename Fault>
  void publish_during(EngineRun& run, Fault&& fault) {
    std::atomic<bool> over{false};
    std::thread loading{[&] {
      while (!over) {
        run.publish({.threads = 4, .events = 2'000});
        accepted_ += 2'000;
        // About 20,000 a second, so that the load covers the fault.
        std::this_thread::sleep_for(milliseconds{100});  // tidy: allow(sleep) it is the load's rate
      }
    }};
    const std::size_t before = run.outcomes();
    EXPECT_TRUE(eventually(seconds{20}, [&] { return run.outcomes() > before + 10'000; }));
    fault();
    over = true;
    loading.join();
  }

  void expect_everything_once(EngineRun& run) {
    EXPECT_TRUE(run.stop(seconds{60}).ok());
    EXPECT_EQ(run.stats()[Counter::delivered], accepted_);
    const auto report = run.check_topic();
    EXPECT_TRUE(report.ok()) << report.text;
    EXPECT_EQ(report.records, accepted_);
    const std::lock_guard lock{mutex_};
    const std::chrono::duration<double> gap = gap_;
    std::printf("%zu events; longest time without an acknowledgement: %.2f s\n", accepted_,
                gap.count());
    RecordProperty("measured_longest_seconds_without_an_acknowledgement",
                   std::to_string(gap.count()));
  }

  bool led() {
    for (int partition = 0; partition < 6; ++partition) {
      if (testing::leader_of(servers_->brokers(), topic_, partition) < 0) return false;
    }
    return true;
  }

  static inline std::unique_ptr<testing::Servers> servers_;
  const std::string topic_ = testing::unique_name("cluster");
  std::size_t accepted_ = 0;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_{};
  std::chrono::nanoseconds gap_{0};
};

TEST_F(ClusterFaultTest, K5_ALeaderKilledInMidLoad) {
  EngineRun run{options()};
  for (std::size_t round = 0; round < testing::fault_scale(); ++round) {
    publish_during(run, [&] {
      const std::string leader =
          "kafka:" + std::to_string(testing::leader_of(servers_->brokers(), topic_, 0));
      ASSERT_NE(leader, "kafka:-1");
      servers_->kill(leader);
      const std::size_t before = run.outcomes();
      EXPECT_TRUE(eventually(seconds{20}, [&] { return run.outcomes() > before + 20'000; }))
          << "it goes on without that broker";
      servers_->start(leader);
    });
  }
  expect_everything_once(run);
}

TEST_F(ClusterFaultTest, K5_LeadersThatMoveInOrder) {
  EngineRun run{options()};
  publish_during(run, [&] {
    // A clean stop moves every leader of that broker, and the return of each lets them move again.
    for (const int broker : {1, 2, 3}) {
      servers_->stop("kafka:" + std::to_string(broker));
      servers_->start("kafka:" + std::to_string(broker));
    }
  });
  expect_everything_once(run);
}

TEST_F(ClusterFaultTest, K9_TwoOfThreeDownIsDeliveredWhenTheyAreBack) {
  EngineRun run{options()};
  publish_during(run, [&] {
    servers_->kill("kafka:2");
    servers_->kill("kafka:3");
    const auto down_since = std::chrono::steady_clock::now();
    EXPECT_TRUE(eventually(
        seconds{10}, [&] { return std::chrono::steady_clock::now() - down_since > seconds{4}; }));
    EXPECT_EQ(run.stats()[Counter::failed], 0U) << "they are retried, not failed";
    servers_->start_without_waiting("kafka:2");
    servers_->start("kafka:3");
    servers_->start("kafka:2");
    ASSERT_TRUE(eventually(seconds{20}, [&] { return led(); }));
  });
  expect_everything_once(run);
}

TEST_F(ClusterFaultTest, K9_NotEnoughReplicasFailsByTheDeadlineAndSaysWhetherItMayBeThere) {
  Options impatient = options();
  impatient.kafka.delivery_timeout = milliseconds{3'000};
  EngineRun run{impatient};
  run.publish({.threads = 4, .events = 5'000});
  ASSERT_TRUE(run.drained_within(seconds{10}));
  // More than there are: the broker refuses each write with NOT_ENOUGH_REPLICAS.
  testing::configure_topic(servers_->brokers(), topic_, {{"min.insync.replicas", "3"}});
  servers_->kill("kafka:3");
  ASSERT_TRUE(eventually(seconds{20}, [&] {
    run.publish({.threads = 4, .events = 500});
    return run.drained_within(seconds{10}) && run.stats()[Counter::failed] > 0;
  }));
  const auto failed = run.stats()[Counter::failed];
  run.publish({.threads = 4, .events = 5'000});
  EXPECT_TRUE(run.drained_within(seconds{10})) << "twice the timeout and a little";
  EXPECT_EQ(run.stats()[Counter::failed], failed + 5'000U);
  EXPECT_EQ(run.failed(Failure::timed_out), failed + 5'000U);
  std::printf("failed %llu, of them maybe persisted %llu\n",
              static_cast<unsigned long long>(run.stats()[Counter::failed]),
              static_cast<unsigned long long>(run.stats()[Counter::failed_maybe_persisted]));
  servers_->start("kafka:3");
  const std::uint64_t before = run.stats()[Counter::delivered];
  ASSERT_TRUE(eventually(seconds{20}, [&] {
    run.publish({.threads = 4, .events = 100});
    return run.drained_within(seconds{10}) && run.stats()[Counter::delivered] > before;
  }));
  EXPECT_TRUE(run.stop(seconds{30}).ok());
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
}

}  // namespace
}  // namespace dualstream
