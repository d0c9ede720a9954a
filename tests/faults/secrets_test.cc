// The command with real passwords, right and wrong, for a real Kafka and a real Redis: whatever it
// prints, logs or serves, they are not in it.
#include <httplib.h>

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "command/program.h"
#include "command/temporary_folder.h"
#include "support/eventually.h"
#include "support/kafka_admin.h"
#include "support/redis_admin.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::seconds;
using testing::Program;
using testing::ProgramEnd;
using testing::ProgramOptions;
using testing::run_program;
using testing::TemporaryFolder;
using Words = std::vector<std::string>;

// Not words that a message could hold by chance.
const std::string kKafkaSecret = "kafka-Xq7-secret";
const std::string kRedisSecret = "redis-Zw3-secret";
const std::string kWrongSecret = "wrong-Yt5-secret";
const std::string kEvent = "{\"id\":\"1\",\"type\":\"t\",\"repo\":{\"name\":\"a/b\"}}\n";

void expect_no_secret_in(const std::string& text) {
  for (const std::string& secret : {kKafkaSecret, kRedisSecret, kWrongSecret}) {
    EXPECT_EQ(text.find(secret), std::string::npos) << text;
  }
}

void expect_no_secret_in(const ProgramEnd& end) {
  expect_no_secret_in(end.output);
  expect_no_secret_in(end.errors);
}

std::string get(const std::string& url, const std::string& path) {
  const httplib::Result result = httplib::Client{url}.Get(path);
  return result ? result->body : "";
}

class SecretsFaultTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    servers_ = std::make_unique<testing::Servers>(Words{
        "--kafka-listener", "SASL_PLAINTEXT", "--kafka-property", "sasl.enabled.mechanisms=PLAIN",
        "--kafka-property",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security."
        "plain.PlainLoginModule required user_app=\"" +
            kKafkaSecret + "\";"});
    testing::RedisAdmin admin{servers_->redis_address()};
    admin.command("ACL SETUSER app on >" + kRedisSecret + " &events:* -@all +publish");
  }
  static void TearDownTestSuite() { servers_.reset(); }

  SecretsFaultTest() { testing::create_topic(servers_->brokers(), topic_); }

  // A config file with Kafka's password, which is how the README says to give it.
  [[nodiscard]] std::string config(const std::string& kafka_password) const {
    std::string path = folder_.path("ingest.conf");
    std::ofstream{path} << "brokers = \"" << servers_->brokers("SASL_PLAINTEXT") << "\"\n"
                        << "topic = \"" << topic_ << "\"\n"
                        << "redis = \"" << servers_->redis_address() << "\"\n"
                        << "redis-user = app\n"
                        << "kafka-property = 'security.protocol=SASL_PLAINTEXT'\n"
                        << "kafka-property = 'sasl.mechanism=PLAIN'\n"
                        << "kafka-property = 'sasl.username=app'\n"
                        << "kafka-property = 'sasl.password=" << kafka_password << "'\n";
    return path;
  }

  [[nodiscard]] std::string password_file(const std::string& password) const {
    std::string path = folder_.path("redis-password");
    std::ofstream{path} << password << "\n";
    return path;
  }

  static inline std::unique_ptr<testing::Servers> servers_;
  const TemporaryFolder folder_;
  const std::string topic_ = testing::unique_name("secrets");
};

TEST_F(SecretsFaultTest, RightOnesAreUsedFromFilesAndNeverShown) {
  const Words words{"ingest",
                    "--config",
                    config(kKafkaSecret),
                    "--redis-password-file",
                    password_file(kRedisSecret),
                    "--log-level",
                    "debug"};
  const ProgramEnd end = run_program(words, kEvent);
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_NE(end.output.find("delivered 1 "), std::string::npos) << end.output;
  EXPECT_NE(end.output.find("notified 1 "), std::string::npos) << end.output;
  expect_no_secret_in(end);
}

TEST_F(SecretsFaultTest, RightOnesAreUsedFromTheEnvironmentAndNeverShown) {
  const ProgramEnd end =
      run_program({"ingest", "--brokers", servers_->brokers("SASL_PLAINTEXT"), "--topic", topic_,
                   "--redis", servers_->redis_address(), "--redis-user", "app"},
                  kEvent,
                  {.environment = {"DUALSTREAM_KAFKA_PROPERTY=security.protocol=SASL_PLAINTEXT;"
                                   "sasl.mechanism=PLAIN;sasl.username=app;sasl.password=" +
                                       kKafkaSecret,
                                   "DUALSTREAM_REDIS_PASSWORD=" + kRedisSecret}});
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_NE(end.output.find("notified 1 "), std::string::npos) << end.output;
  expect_no_secret_in(end);
}

TEST_F(SecretsFaultTest, TheClientsOwnDebugLogHasNoneEither) {
  std::ofstream{config(kKafkaSecret), std::ios::app} << "kafka-property = 'debug=all'\n";
  const ProgramEnd end =
      run_program({"ingest", "--config", folder_.path("ingest.conf"), "--redis-password-file",
                   password_file(kRedisSecret), "--log-level", "debug"},
                  kEvent);
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_NE(end.errors.find("sasl"), std::string::npos) << "it did say something";
  expect_no_secret_in(end);
}

TEST_F(SecretsFaultTest, PrintConfigShowsThatTheyAreSetAndNotWhatTheyAre) {
  const ProgramEnd end = run_program({"ingest", "--config", config(kKafkaSecret), "--print-config",
                                      "--redis-password-file", password_file(kRedisSecret)});
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_NE(end.output.find("sasl.password=***"), std::string::npos) << end.output;
  EXPECT_NE(end.output.find("redis-password = \"***\""), std::string::npos) << end.output;
  expect_no_secret_in(end);
}

TEST_F(SecretsFaultTest, AWrongOneForKafkaEndsTheCommandAndIsNotTold) {
  const ProgramEnd end =
      run_program({"ingest", "--config", config(kWrongSecret), "--log-level", "debug"}, kEvent,
                  {.environment = {"DUALSTREAM_REDIS_PASSWORD=" + kRedisSecret}});
  EXPECT_EQ(end.exit_code, 3) << end.errors;
  EXPECT_NE(end.errors.find("uthentication"), std::string::npos) << end.errors;
  expect_no_secret_in(end);
}

TEST_F(SecretsFaultTest, AWrongOneForRedisIsLoggedAndServedWithoutIt) {
  Program program{{"ingest", "--config", config(kKafkaSecret), "--redis-password-file",
                   password_file(kWrongSecret), "--metrics", "127.0.0.1:0"}};
  ASSERT_TRUE(program.wait_for_error("does not let us in"));
  const std::string errors = program.errors();
  const std::size_t at = errors.find("http://");
  const std::string url = errors.substr(at, errors.find("/metrics\n") - at);
  std::string served;
  EXPECT_TRUE(testing::eventually(seconds{10}, [&] {
    served = get(url, "/healthz") + get(url, "/metrics");
    return served.find("redis: refused (WRONGPASS") != std::string::npos;
  })) << served;
  EXPECT_NE(served.find("\ndualstream_redis_up 0\n"), std::string::npos) << served;
  expect_no_secret_in(served);
  program.write(kEvent);
  const ProgramEnd end = program.finish();
  EXPECT_EQ(end.exit_code, 0) << "no event needs Redis";
  expect_no_secret_in(end);
}

TEST_F(SecretsFaultTest, OnesOnTheCommandLineAreRefusedWithoutRepeatingThem) {
  for (const Words& words : {
           Words{"--kafka-property", "sasl.password=" + kWrongSecret},
           Words{"--kafka-property", "ssl.key.password=" + kWrongSecret},
           Words{"--redis", "redis://app:" + kWrongSecret + "@127.0.0.1:6379"},
       }) {
    Words all{"ingest", "--brokers", "127.0.0.1:1", "--topic", "t"};
    all.insert(all.end(), words.begin(), words.end());
    const ProgramEnd end = run_program(all);
    EXPECT_EQ(end.exit_code, 2) << words.back();
    expect_no_secret_in(end);
  }
}

TEST_F(SecretsFaultTest, AddressesAndPropertiesThatCannotBeUsedAreNamedWithoutTheirSecrets) {
  for (const std::string& line : {
           "redis = 'redis://app:" + kWrongSecret + "@host:port'",
           "redis = 'rediss://app:" + kWrongSecret + "@127.0.0.1:6379'",
           "redis = 'redis://:" + kWrongSecret + "'",
           "kafka-property = 'ssl.key.pem=" + kWrongSecret + "'",
           "kafka-property = 'sasl.passwort=" + kWrongSecret + "'",
           "kafka-property = 'sasl.oauthbearer.config=" + kWrongSecret + "'",
       }) {
    const std::string path = config(kKafkaSecret);
    std::ofstream{path, std::ios::app} << line << "\n";
    const ProgramEnd end =
        run_program({"ingest", "--config", path, "--log-level", "debug"}, kEvent);
    if (line.find("oauthbearer") == std::string::npos) {
      EXPECT_NE(end.exit_code, 0) << line;
    }
    expect_no_secret_in(end);
  }
}

}  // namespace
}  // namespace dualstream
