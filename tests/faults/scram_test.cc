// SCRAM, against the newest Kafka that every librdkafka can log in to: 2.0 cannot to Kafka 4
// (security_test.cc shows what it says then), whatever the password.
#include <cstdlib>
#include <memory>
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

class ScramFaultTest : public ::testing::Test {
 protected:
  static constexpr std::string_view kPassword = "scram-secret-1";
  static constexpr std::string_view kOtherPassword = "scram-secret-2";

  static void SetUpTestSuite() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread is there yet.
    ::setenv("DUALSTREAM_KAFKA_VERSION", "3.9.1", 1);
    const std::string scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
    servers_ = std::make_unique<testing::Servers>(std::vector<std::string>{
        "--no-redis", "--kafka-listener", "SASL_PLAINTEXT", "--kafka-property",
        "sasl.enabled.mechanisms=SCRAM-SHA-256", "--kafka-property",
        "listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=" + scram});
  }
  static void TearDownTestSuite() { servers_.reset(); }

  ScramFaultTest() {
    testing::create_topic(servers_->brokers(), topic_);
    servers_->set_scram_user("app", kPassword);
  }

  Options options(std::string_view password) {
    Options options = EngineRun::options(servers_->brokers("SASL_PLAINTEXT"), topic_);
    options.kafka.properties = {{"security.protocol", "sasl_plaintext"},
                                {"sasl.mechanism", "SCRAM-SHA-256"},
                                {"sasl.username", "app"},
                                {"sasl.password", std::string{password}}};
    return options;
  }

  static void expect_no_secret_in(const std::string& text) {
    for (const std::string_view secret : {kPassword, kOtherPassword}) {
      EXPECT_EQ(text.find(secret), std::string::npos) << text;
    }
  }

  static inline std::unique_ptr<testing::Servers> servers_;
  const std::string topic_ = testing::unique_name("scram");
};

TEST_F(ScramFaultTest, K13_ScramWorks) {
  EngineRun run{options(kPassword)};
  run.publish({.events = 5'000});
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::delivered], 5'000U);
  const auto report = run.check_topic(servers_->brokers());
  EXPECT_TRUE(report.ok()) << report.text;
}

TEST_F(ScramFaultTest, K13_AWrongScramPasswordIsNamedAtOpenAndNotTold) {
  std::string log;
  Options wrong = options(kOtherPassword);
  wrong.on_log = [&log](const LogLine& line) { log += text_of(line) + "\n"; };
  std::unique_ptr<Engine> engine;
  const auto start = std::chrono::steady_clock::now();
  const Status status = Engine::open(wrong, engine);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds{5});
  EXPECT_EQ(status.code, StatusCode::unauthorized);
  EXPECT_EQ(status.field, "kafka.properties");
  EXPECT_NE(status.message.find("uthentication"), std::string::npos) << status.message;
  expect_no_secret_in(status.message + log);
}

TEST_F(ScramFaultTest, K13_APasswordThatIsChangedInMidRunIsToldOnceAndNothingIsLost) {
  EngineRun run{options(kPassword)};
  run.publish({.events = 5'000});
  ASSERT_TRUE(run.drained_within(seconds{120}));
  EXPECT_EQ(run.engine().health().kafka, KafkaHealth::up);
  // Those who are logged in stay so, until they have to come again.
  servers_->set_scram_user("app", kOtherPassword);
  servers_->kill("kafka");
  servers_->start("kafka");
  run.publish({.events = 5'000});
  EXPECT_TRUE(eventually(seconds{20},
                         [&] { return run.engine().health().kafka == KafkaHealth::unauthorized; }));
  const Health health = run.engine().health();
  std::printf("health: %s\n", health.text().c_str());
  EXPECT_FALSE(health.ok());
  EXPECT_NE(health.kafka_reason.find("uthentication"), std::string::npos) << health.kafka_reason;
  servers_->set_scram_user("app", kPassword);
  EXPECT_TRUE(run.drained_within(seconds{120}));
  EXPECT_EQ(run.engine().health().kafka, KafkaHealth::up);
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::delivered], 10'000U);
  EXPECT_LT(run.log_lines().size(), 20U) << "not a line per attempt";
  for (const std::string& line : run.log_lines()) expect_no_secret_in(line);
  expect_no_secret_in(health.text());
  const auto report = run.check_topic(servers_->brokers());
  EXPECT_TRUE(report.ok()) << report.text;
}

}  // namespace
}  // namespace dualstream
