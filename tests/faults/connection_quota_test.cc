// A broker that takes a connection a second from everybody together: whoever comes has to wait, and
// loses nothing by it.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/kafka_admin.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::duration;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::EngineRun;

class ConnectionQuotaFaultTest : public ::testing::Test {
 protected:
  // Only of the listener that the engines use: the test's own helpers come by the other one. With
  // two windows of a second the broker lets two in at once and then one a second.
  static std::vector<std::string> up_options() {
    constexpr const char* kUser = "user_app=\"app-secret\";";
    const std::string listener = "listener.name.sasl_plaintext.";
    const std::string login = "org.apache.kafka.common.security.plain.PlainLoginModule required ";
    std::vector<std::string> options{"--no-redis", "--kafka-listener", "SASL_PLAINTEXT"};
    for (const std::string& property : {
             std::string{"quota.window.num=2"},
             std::string{"sasl.enabled.mechanisms=PLAIN"},
             listener + "max.connection.creation.rate=1",
             (listener + "plain.sasl.jaas.config=").append(login).append(kUser),
         }) {
      options.insert(options.end(), {"--kafka-property", property});
    }
    return options;
  }

  [[nodiscard]] Options options(const std::string& topic) const {
    Options options = EngineRun::options(servers_.brokers("SASL_PLAINTEXT"), topic);
    options.kafka.properties = {{"security.protocol", "sasl_plaintext"},
                                {"sasl.mechanism", "PLAIN"},
                                {"sasl.username", "app"},
                                {"sasl.password", "app-secret"}};
    options.kafka.open_timeout = seconds{60};
    options.kafka.required_at_open = true;
    return options;
  }

  testing::Servers servers_{up_options()};
};

TEST_F(ConnectionQuotaFaultTest, K13_EnginesThatComeAtOnceWaitForTheirTurnAndLoseNothing) {
  constexpr std::size_t kEngines = 4;
  const auto start = steady_clock::now();
  std::vector<std::thread> threads;
  std::vector<std::string> topics;
  for (std::size_t i = 0; i < kEngines; ++i) {
    topics.push_back(testing::unique_name("quota"));
    testing::create_topic(servers_.brokers(), topics.back());
  }
  for (const std::string& topic : topics) {
    threads.emplace_back([&, topic] {
      EngineRun run{options(topic)};
      run.publish({.events = 1'000});
      EXPECT_TRUE(run.drained_within(seconds{120}));
      EXPECT_TRUE(run.stop().ok());
      EXPECT_EQ(run.stats()[Counter::delivered], 1'000U);
      const auto report = run.check_topic(servers_.brokers());
      EXPECT_TRUE(report.ok()) << report.text;
    });
  }
  for (std::thread& thread : threads) thread.join();
  const duration<double> took = steady_clock::now() - start;
  std::printf("%zu engines were through after %.1f s\n", kEngines, took.count());
  EXPECT_GT(took, seconds{2}) << "the broker did hold them back";
}

TEST_F(ConnectionQuotaFaultTest, K13_AnEngineComesBackAfterARestartOfSuchABroker) {
  const std::string topic = testing::unique_name("quota");
  testing::create_topic(servers_.brokers(), topic);
  EngineRun run{options(topic)};
  run.publish({.events = 5'000});
  servers_.kill("kafka");
  servers_.start("kafka");
  run.publish({.events = 5'000});
  EXPECT_TRUE(run.drained_within(seconds{120}));
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::delivered], 10'000U);
  const auto report = run.check_topic(servers_.brokers());
  EXPECT_TRUE(report.ok()) << report.text;
}

}  // namespace
}  // namespace dualstream
