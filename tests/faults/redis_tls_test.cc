// Redis behind TLS: it works, also with a certificate of ours and after a break, and whoever cannot
// prove to be the server gets nothing, while Kafka has every event.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/certificates.h"
#include "support/redis_fault_test.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BackgroundLoad;
using testing::EngineRun;
using testing::eventually;
using testing::Load;
using testing::RedisAdmin;
using testing::RedisSubscriber;

constexpr Load kRound{.threads = 2, .events = 20, .sources = 40};

class RedisTlsFaultTest : public testing::RedisFaultTest {
 protected:
  static void SetUpTestSuite() {
    RedisFaultTest::SetUpTestSuite();
    certificates = std::make_unique<testing::Certificates>();
  }
  static void TearDownTestSuite() {
    certificates.reset();
    RedisFaultTest::TearDownTestSuite();
  }

  // The test's server listens with TLS on a port of its own, too.
  RedisTlsFaultTest() { listen("no"); }

  static void listen(const std::string& clients_need_a_certificate) {
    RedisAdmin admin{servers->redis_address()};
    const std::string port =
        servers->redis_address().substr(servers->redis_address().rfind(':') + 1);
    tls_port = std::to_string(std::stoi(port) + 1);
    for (int tries = 0;; ++tries) {
      const std::string reply = admin.reply_to(
          {"CONFIG", "SET", "tls-cert-file", certificates->path("server.pem"), "tls-key-file",
           certificates->path("server.key"), "tls-ca-cert-file", certificates->path("ca.pem"),
           "tls-auth-clients", clients_need_a_certificate, "tls-port", tls_port});
      if (reply == "OK") return;
      ASSERT_LT(tries, 100) << reply;  // Somebody else's port.
      tls_port = std::to_string(std::stoi(tls_port) + 1);
    }
  }

  [[nodiscard]] Options tls_options(const std::string& authority = "ca",
                                    const std::string& host = "127.0.0.1") const {
    Options made = options();
    made.redis.address = "rediss://" + host + ":" + tls_port;
    made.redis.tls_ca_file = certificates->path(authority + ".pem");
    return made;
  }

  // Everything reaches Kafka and nothing Redis, and the log says why.
  void expect_kept_out(const Options& options, const std::string& reason) const {
    EngineRun run{options, events()};
    const RedisSubscriber subscriber{servers->redis_address(), subscription()};
    const auto published = run.publish({.events = 2'000});
    EXPECT_TRUE(run.drained_within(seconds{20}));
    EXPECT_TRUE(eventually(seconds{10}, [&] { return run.log_lines_with(reason) > 0; }))
        << ::testing::PrintToString(run.log_lines());
    (void)run.stop(seconds{20});
    EXPECT_EQ(run.stats()[Counter::delivered], published.accepted);
    EXPECT_EQ(run.stats()[Counter::notified], 0U);
    const testing::CheckReport report = run.check_topic();
    EXPECT_TRUE(report.ok()) << report.text;
  }

  static inline std::unique_ptr<testing::Certificates> certificates;
  static inline std::string tls_port;
};

TEST_F(RedisTlsFaultTest, R6_NotifiesOverTlsAndAgainAfterABreak) {
  EngineRun run{tls_options(), events()};
  const RedisSubscriber subscriber{servers->redis_address(), subscription()};
  BackgroundLoad load{run, kRound};
  expect_notified_again(run, seconds{5}, "notified");
  EXPECT_TRUE(eventually(seconds{20}, [&] { return run.stats()[Counter::notified] > 20'000; }));
  RedisAdmin admin{servers->redis_address()};
  admin.command("CLIENT KILL TYPE normal SKIPME yes");
  EXPECT_TRUE(eventually(seconds{10}, [&] { return run.stats()[Counter::redis_connects] > 1; }));
  expect_notified_again(run, seconds{5}, "notified again");
  const auto published = load.finish();
  expect_ledger(run, published.accepted, {&subscriber});
  EXPECT_EQ(run.log_lines_with("TLS"), 0U);
}

TEST_F(RedisTlsFaultTest, R6_AServerThatWantsOurCertificateGetsIt) {
  listen("yes");
  Options options = tls_options();
  options.redis.tls_certificate_file = certificates->path("app.pem");
  options.redis.tls_key_file = certificates->path("app.key");
  EngineRun run{options, events()};
  const RedisSubscriber subscriber{servers->redis_address(), subscription()};
  const auto published = run.publish({.events = 2'000});
  EXPECT_TRUE(run.drained_within(seconds{20}));
  expect_ledger(run, published.accepted, {&subscriber});
  EXPECT_EQ(run.stats()[Counter::notified], published.accepted);
}

TEST_F(RedisTlsFaultTest, R6_WithoutTheCertificateThatItWantsNothingIsNotified) {
  listen("yes");
  // The server's reason is lost when it closes before it has read our first command.
  expect_kept_out(tls_options(), "cannot be reached");
}

TEST_F(RedisTlsFaultTest, R6_AServerThatNobodyVouchesForIsToldNothing) {
  expect_kept_out(tls_options("stranger"), "the server's certificate is refused");
}

TEST_F(RedisTlsFaultTest, R6_ACertificateOfAnotherHostIsRefused) {
  expect_kept_out(tls_options("ca", "localhost"), "hostname mismatch");
}

TEST_F(RedisTlsFaultTest, R6_APortWithoutTlsIsGivenUp) {
  Options options = tls_options();
  options.redis.address = "rediss://" + servers->redis_address();
  expect_kept_out(options, "not ready within redis.connect_timeout");
}

TEST_F(RedisTlsFaultTest, R3_AHandshakeThatNobodyAnswersIsGivenUp) {
  servers->freeze("redis");
  EngineRun run{tls_options(), events()};
  const auto published = run.publish({.events = 2'000});
  EXPECT_TRUE(run.drained_within(seconds{20})) << "Redis cannot hurt Kafka";
  EXPECT_TRUE(eventually(seconds{10}, [&] {
    return run.log_lines_with("not ready within redis.connect_timeout") > 0;
  })) << ::testing::PrintToString(run.log_lines());
  servers->thaw("redis");
  EXPECT_TRUE(eventually(seconds{10}, [&] {
    return run.stats()[Counter::notified] == published.accepted;
  })) << "what was held is told when it answers";
  EXPECT_EQ(run.stop(seconds{20}).code, StatusCode::ok);
}

TEST_F(RedisTlsFaultTest, R6_FilesThatCannotBeUsedAreNamedAtOpen) {
  const auto refused = [this](const std::string& file, std::string RedisOptions::*which) {
    Options options = tls_options();
    options.redis.*which = file;
    std::unique_ptr<Engine> engine;
    return Engine::open(options, engine).message;
  };
  const std::string absent = certificates->path("absent.pem");
  EXPECT_NE(refused(absent, &RedisOptions::tls_ca_file).find(absent), std::string::npos);
  EXPECT_NE(refused(certificates->path("app.key"), &RedisOptions::tls_ca_file).find("app.key"),
            std::string::npos)
      << "a key is no authority";
  EXPECT_NE(refused(certificates->path("app.key"), &RedisOptions::tls_key_file)
                .find("redis.tls_certificate_file"),
            std::string::npos);
}

}  // namespace
}  // namespace dualstream
