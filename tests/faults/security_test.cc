// Credentials, certificates and rights: what is wrong is said within seconds and without a secret;
// rights that are taken away in mid load fail events, and nothing else.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kafka/librdkafka_producer.h"
#include "support/certificates.h"
#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/fault_run.h"
#include "support/kafka_admin.h"
#include "support/relay.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EngineRun;
using testing::eventually;

class SecurityFaultTest : public ::testing::Test {
 protected:
  static constexpr std::string_view kPassword = "app-secret-1";
  static constexpr std::string_view kWrongPassword = "wrong-secret-2";

  // One broker for all cases: it takes longer to start than they take.
  static void SetUpTestSuite() {
    certificates_ = std::make_unique<testing::Certificates>();
    std::vector<std::string> up{"--no-redis",
                                "--kafka-listener",
                                "SASL_PLAINTEXT",
                                "--kafka-listener",
                                "SASL_SSL",
                                "--kafka-listener",
                                "SSL"};
    const std::string users =
        ".plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
        "user_app=\"" +
        std::string{kPassword} + "\" user_reader=\"" + std::string{kPassword} + "\";";
    const std::string scram =
        ".scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule "
        "required;";
    for (const std::string& property : std::vector<std::string>{
             "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
             "super.users=User:ANONYMOUS",
             "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256",
             "listener.name.sasl_plaintext" + users,
             "listener.name.sasl_ssl" + users,
             "listener.name.sasl_plaintext" + scram,
             "listener.name.sasl_ssl" + scram,
             "ssl.keystore.type=PEM",
             "ssl.keystore.location=" + certificates_->path("server.store"),
             "ssl.truststore.type=PEM",
             "ssl.truststore.location=" + certificates_->path("ca.pem"),
             "listener.name.ssl.ssl.client.auth=required",
             "ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT",
         }) {
      up.insert(up.end(), {"--kafka-property", property});
    }
    servers_ = std::make_unique<testing::Servers>(up);
  }
  static void TearDownTestSuite() {
    servers_.reset();
    certificates_.reset();
  }

  SecurityFaultTest() { testing::create_topic(servers_->brokers(), topic_); }

  Options options(const std::string& listener,
                  std::vector<std::pair<std::string, std::string>> properties) {
    Options options = EngineRun::options(servers_->brokers(listener), topic_);
    options.kafka.properties = std::move(properties);
    options.on_log = [this](const LogLine& line) { log_ += text_of(line) + "\n"; };
    return options;
  }
  Options plain(const std::string& user, std::string_view password) {
    return options("SASL_PLAINTEXT", {{"security.protocol", "sasl_plaintext"},
                                      {"sasl.mechanism", "PLAIN"},
                                      {"sasl.username", user},
                                      {"sasl.password", std::string{password}}});
  }
  Options plain_over_tls(const std::string& authority) {
    return options("SASL_SSL", {{"security.protocol", "sasl_ssl"},
                                {"sasl.mechanism", "PLAIN"},
                                {"sasl.username", "app"},
                                {"sasl.password", std::string{kPassword}},
                                {"ssl.ca.location", certificates_->path(authority + ".pem")}});
  }
  Options mutual_tls(bool with_certificate) {
    std::vector<std::pair<std::string, std::string>> properties{
        {"security.protocol", "ssl"}, {"ssl.ca.location", certificates_->path("ca.pem")}};
    if (with_certificate) {
      properties.emplace_back("ssl.certificate.location", certificates_->path("app.pem"));
      properties.emplace_back("ssl.key.location", certificates_->path("app.key"));
    }
    return options("SSL", std::move(properties));
  }

  // Why open() refuses, which has to be within 5 s.
  Status refusal(const Options& options) {
    std::unique_ptr<Engine> engine;
    const auto start = std::chrono::steady_clock::now();
    Status status = Engine::open(options, engine);
    EXPECT_LT(std::chrono::steady_clock::now() - start, seconds{5});
    EXPECT_FALSE(status.ok());
    std::printf("%s: %s\n", std::string{name(status.code)}.c_str(), status.message.c_str());
    for (const std::string_view secret : {kPassword, kWrongPassword}) {
      EXPECT_EQ(status.message.find(secret), std::string::npos);
      EXPECT_EQ(log_.find(secret), std::string::npos);
    }
    return status;
  }

  // A right that was just given holds a moment later.
  static std::unique_ptr<EngineRun> open_when_allowed(const Options& options) {
    std::string why;
    EXPECT_TRUE(eventually(seconds{10}, [&] {
      std::unique_ptr<Engine> engine;
      Options quiet = options;
      quiet.on_log = [](const LogLine&) {};
      why = Engine::open(quiet, engine).message;
      return engine != nullptr;
    })) << why;
    return std::make_unique<EngineRun>(options);
  }

  void expect_delivery(const Options& options) {
    testing::allow_writing(servers_->brokers(), "User:app", topic_);
    const auto opened = open_when_allowed(options);
    EngineRun& run = *opened;
    run.publish({.events = 5'000});
    EXPECT_TRUE(run.stop().ok());
    EXPECT_EQ(run.stats()[Counter::delivered], 5'000U);
    const auto report = run.check_topic(servers_->brokers());
    EXPECT_TRUE(report.ok()) << report.text;
  }

  static inline std::unique_ptr<testing::Certificates> certificates_;
  static inline std::unique_ptr<testing::Servers> servers_;
  const std::string topic_ = testing::unique_name("security");
  std::string log_;
};

TEST_F(SecurityFaultTest, K13_APasswordOverPlaintextWorks) {
  expect_delivery(plain("app", kPassword));
}

TEST_F(SecurityFaultTest, K13_APasswordOverTlsWorks) { expect_delivery(plain_over_tls("ca")); }

TEST_F(SecurityFaultTest, K13_MutualTlsWorks) { expect_delivery(mutual_tls(true)); }

TEST_F(SecurityFaultTest, K13_AWrongPasswordIsNamedAtOpenAndNotTold) {
  const Status status = refusal(plain("app", kWrongPassword));
  EXPECT_EQ(status.code, StatusCode::unauthorized);
  EXPECT_NE(status.message.find("uthentication"), std::string::npos) << status.message;
}

TEST_F(SecurityFaultTest, K13_AWrongPasswordIsTriedAtMostOnceASecond) {
  testing::Relay relay{testing::fault_seed()};
  relay.set_upstream(servers_->brokers("SASL_PLAINTEXT"));
  Options waiting = plain("app", kWrongPassword);
  // The first address is as far as it comes, so every attempt passes the relay.
  waiting.kafka.brokers = relay.address();
  waiting.kafka.open_timeout = milliseconds{0};
  EngineRun run{waiting};
  const auto attempts = [&] { return relay.counts().connections; };
  // The first few come soon after one another, as after any broken connection.
  ASSERT_TRUE(eventually(seconds{30}, [&] { return attempts() >= 5; }));
  const std::size_t before = attempts();
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(eventually(seconds{30}, [&] { return attempts() >= before + 6; }));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const std::size_t later = attempts() - before;
  std::printf("%zu attempts more in %.1f s\n", later, took.count());
  EXPECT_LE(static_cast<double>(later - 1), took.count());
  EXPECT_EQ(run.engine().health().kafka, KafkaHealth::unauthorized);
  EXPECT_TRUE(run.stop().ok());
}

TEST_F(SecurityFaultTest, K13_AnUntrustedCertificateIsNamedAtOpen) {
  const Status status = refusal(plain_over_tls("stranger"));
  EXPECT_EQ(status.code, StatusCode::unauthorized);
  EXPECT_NE(status.message.find("certificate"), std::string::npos) << status.message;
}

TEST_F(SecurityFaultTest, K13_NoCertificateWhereOneIsAskedForIsNamedAtOpen) {
  const Status status = refusal(mutual_tls(false));
  EXPECT_EQ(status.code, StatusCode::unauthorized);
  EXPECT_NE(status.message.find("certificate"), std::string::npos) << status.message;
}

TEST_F(SecurityFaultTest, K13_ScramIsRefusedWithAHintWhereTheLibraryIsTooOld) {
  Options scram = options("SASL_PLAINTEXT", {{"security.protocol", "sasl_plaintext"},
                                             {"sasl.mechanism", "SCRAM-SHA-256"},
                                             {"sasl.username", "app"},
                                             {"sasl.password", std::string{kPassword}}});
  const Status status = refusal(scram);
  EXPECT_EQ(status.code, StatusCode::unauthorized);
  const bool old = kafka::librdkafka_version().starts_with("2.0.");
  EXPECT_EQ(status.message.find("2.6.1 can") != std::string::npos, old) << status.message;
}

TEST_F(SecurityFaultTest, K13_ATopicThatMayNotBeSeenIsNamedAtOpen) {
  const Status status = refusal(plain("app", kPassword));
  EXPECT_EQ(status.code, StatusCode::unauthorized);
  EXPECT_NE(status.message.find("`" + topic_ + "`"), std::string::npos) << status.message;
}

TEST_F(SecurityFaultTest, K13_TheRightTakenAwayInMidLoadFailsEventsUntilItIsBack) {
  testing::allow_writing(servers_->brokers(), "User:app", topic_);
  const auto opened = open_when_allowed(plain("app", kPassword));
  EngineRun& run = *opened;
  run.publish({.threads = 4, .events = 10'000});
  ASSERT_TRUE(run.drained_within(seconds{10}));
  testing::allow_describing(servers_->brokers(), "User:app", topic_);
  testing::forbid_writing(servers_->brokers(), "User:app", topic_);
  ASSERT_TRUE(eventually(seconds{10}, [&] {
    run.publish({.threads = 4, .events = 1'000});
    return run.drained_within(seconds{10}) && run.failed(Failure::unauthorized) > 0;
  }));
  run.publish({.threads = 4, .events = 10'000});
  ASSERT_TRUE(run.drained_within(seconds{10}));
  EXPECT_GE(run.failed(Failure::unauthorized), 10'000U);
  EXPECT_EQ(run.stats()[Counter::failed], run.failed(Failure::unauthorized));
  EXPECT_EQ(run.stats()[Counter::failed_maybe_persisted], 0U);
  testing::allow_writing(servers_->brokers(), "User:app", topic_);
  const std::uint64_t before = run.stats()[Counter::delivered];
  ASSERT_TRUE(eventually(seconds{20}, [&] {
    run.publish({.threads = 4, .events = 100});
    return run.drained_within(seconds{10}) && run.stats()[Counter::delivered] > before;
  }));
  run.publish({.threads = 4, .events = 10'000});
  EXPECT_TRUE(run.stop().ok());
  EXPECT_GE(run.stats()[Counter::delivered], before + 10'000U);
  std::printf("failed as unauthorized: %zu, log lines: %zu\n", run.failed(Failure::unauthorized),
              run.log_lines().size());
  EXPECT_LT(run.log_lines().size(), 20U) << "not a line per event";
  const auto report = run.check_topic(servers_->brokers());
  EXPECT_TRUE(report.ok()) << report.text;
}

TEST_F(SecurityFaultTest, K13_OneThatMayWriteNowhereFailsItsEvents) {
  testing::allow_describing(servers_->brokers(), "User:reader", topic_);
  const auto opened = open_when_allowed(plain("reader", kPassword));
  EngineRun& run = *opened;
  run.publish({.events = 1'000});
  EXPECT_TRUE(run.drained_within(seconds{120}));
  EXPECT_EQ(run.failed(Failure::unauthorized), 1'000U);
  static_cast<void>(run.stop());
  EXPECT_LE(run.stats()[Counter::producer_rebuilds], 20U) << "one a second at the most";
  const auto report = run.check_topic(servers_->brokers());
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, 0U);
}

}  // namespace
}  // namespace dualstream
