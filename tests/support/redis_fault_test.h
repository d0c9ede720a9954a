// RedisFaultTest is the ground of the tests that break Redis: a Kafka that stays well, a Redis of
// the test's own, and what has to hold whatever happened to it.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "dualstream/options.h"
#include "dualstream/stats.h"
#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/fault_run.h"
#include "support/kafka_admin.h"
#include "support/notifications_check.h"
#include "support/redis_admin.h"
#include "support/redis_subscriber.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace dualstream::testing {

class RedisFaultTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { servers = std::make_unique<Servers>(); }
  static void TearDownTestSuite() { servers.reset(); }

  RedisFaultTest() { create_topic(servers->brokers(), topic_, {.partitions = 4}); }
  // Whatever was set, the next test finds a new server.
  ~RedisFaultTest() override {
    servers->kill("redis");
    std::filesystem::remove_all(snapshot_path());
    servers->start("redis");
  }

  [[nodiscard]] Options options() const {
    return EngineRun::options(servers->brokers(), topic_, servers->redis_address());
  }
  // Where the server writes its snapshots.
  [[nodiscard]] static std::string snapshot_path() { return servers->dir() + "/redis/dump.rdb"; }
  // Every channel of this test.
  [[nodiscard]] RedisSubscription subscription() const {
    return {.patterns = {"events:repo:" + prefix_ + "*"}};
  }
  [[nodiscard]] VerifyingEventsOptions events() const { return {.source_prefix = prefix_}; }

  static void note(std::string_view what, std::size_t figure) {
    std::cout << what << ": " << figure << '\n';
  }
  // Waits until `state` is so, says how long it took, and expects it within `timeout`.
  template <typename State>
  static void expect_within(std::chrono::milliseconds timeout, std::string_view what,
                            const State& state) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(eventually(timeout, state)) << what;
    const auto took = std::chrono::steady_clock::now() - start;
    std::cout << what << " after "
              << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
  }
  // It goes out again: of what is published from now on.
  static void expect_notified_again(EngineRun& run, std::chrono::milliseconds timeout,
                                    std::string_view what) {
    const std::uint64_t before = run.stats()[Counter::notified];
    expect_within(timeout, what, [&] { return run.stats()[Counter::notified] > before; });
  }

  // Stops the run, and expects that Kafka has every event and that each notification came as the
  // ledger says, once and in order.
  void expect_ledger(EngineRun& run, std::size_t accepted,
                     const std::vector<const RedisSubscriber*>& subscribers) const {
    EXPECT_TRUE(run.drained_within(std::chrono::seconds{20})) << "Redis cannot hurt Kafka";
    (void)run.stop(std::chrono::seconds{20});
    const Stats stats = run.stats();
    EXPECT_EQ(stats[Counter::delivered], accepted);
    EXPECT_EQ(stats[Counter::announced], accepted);
    const std::vector<Record> records = read_topic(servers->brokers(), topic_);
    const CheckReport topic = run.check_topic(records);
    EXPECT_TRUE(topic.ok()) << topic.text;
    EXPECT_EQ(topic.records, accepted);

    const auto received = [&] {
      std::vector<RedisMessage> messages;
      for (const RedisSubscriber* subscriber : subscribers) {
        for (RedisMessage& message : subscriber->messages()) messages.push_back(message);
      }
      return messages;
    };
    EXPECT_TRUE(eventually(std::chrono::seconds{10}, [&] {
      return notifications_in(received()) >= stats[Counter::notified];
    })) << "what Redis took, its subscribers have";
    const NotificationsReport report = check_notifications(received(), records);
    EXPECT_TRUE(report.ok()) << report.repeated << " repeated, " << report.out_of_order
                             << " out of order, " << report.wrong << " wrong, " << report.untold
                             << " gaps untold: " << report.text;
    EXPECT_GE(report.received, stats[Counter::notified]);
    EXPECT_LE(report.received, stats[Counter::notified] + stats[Counter::unconfirmed]);
    EXPECT_LE(report.missed, stats.dropped() + stats[Counter::unconfirmed]);
    std::cout << "events: " << accepted << ", notified: " << stats[Counter::notified]
              << ", unconfirmed: " << stats[Counter::unconfirmed]
              << ", dropped: " << stats.dropped() << ", received: " << report.received
              << ", connects: " << stats[Counter::redis_connects] << '\n';
  }

  static inline std::unique_ptr<Servers> servers;
  const std::string topic_ = unique_name("redis-fault");
  const std::string prefix_ = topic_ + "/s";
};

}  // namespace dualstream::testing
