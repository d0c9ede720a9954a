// What cannot work is said at once, by name and with the next step; what can still come is waited
// for.
#include <string>

#include <gtest/gtest.h>

#include "dualstream/engine.h"
#include "support/kafka_admin.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class OpenFlowTest : public ::testing::Test {
 protected:
  Status open(const Options& options) {
    const auto start = std::chrono::steady_clock::now();
    Status status = Engine::open(options, engine_);
    took_ = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(status.ok(), engine_ != nullptr);
    return status;
  }

  static bool says(const Status& status, std::string_view text) {
    return status.message.find(text) != std::string::npos;
  }

  const testing::SharedServers servers_;
  std::unique_ptr<Engine> engine_;
  std::chrono::nanoseconds took_{};
};

TEST_F(OpenFlowTest, NamesATopicThatDoesNotExist) {
  Options options;
  options.kafka.brokers = servers_.brokers();
  options.kafka.topic = "no-such-topic";
  const Status status = open(options);
  EXPECT_EQ(status.code, StatusCode::unknown_topic) << status.message;
  EXPECT_TRUE(says(status, "`no-such-topic`")) << status.message;
  EXPECT_TRUE(says(status, "create it")) << status.message;
  EXPECT_LT(took_, seconds{5});
}

TEST_F(OpenFlowTest, NamesABrokerThatDoesNotAnswer) {
  Options options;
  options.kafka.brokers = "127.0.0.1:1";
  options.kafka.topic = "events";
  options.kafka.open_timeout = milliseconds{600};
  options.kafka.required_at_open = true;
  const Status status = open(options);
  EXPECT_EQ(status.code, StatusCode::unreachable) << status.message;
  EXPECT_TRUE(says(status, "127.0.0.1:1")) << status.message;
  EXPECT_TRUE(says(status, "refused")) << status.message;
  EXPECT_LT(took_, milliseconds{600} + seconds{1});
}

TEST_F(OpenFlowTest, NamesAHostThatDoesNotExist) {
  Options options;
  options.kafka.brokers = "no-such-host.invalid:9092";
  options.kafka.topic = "events";
  options.kafka.open_timeout = milliseconds{1'500};
  options.kafka.required_at_open = true;
  const Status status = open(options);
  EXPECT_EQ(status.code, StatusCode::unreachable) << status.message;
  EXPECT_TRUE(says(status, "no-such-host.invalid")) << status.message;
}

TEST_F(OpenFlowTest, NamesAPropertyThatTheClientRefuses) {
  Options options;
  options.kafka.brokers = servers_.brokers();
  options.kafka.topic = "events";
  options.kafka.properties = {{"compression.typo", "lz4"}};
  const Status status = open(options);
  EXPECT_EQ(status.code, StatusCode::invalid_options);
  EXPECT_TRUE(says(status, "compression.typo")) << status.message;
}

TEST_F(OpenFlowTest, PassesPropertiesToTheClient) {
  const std::string topic = testing::unique_name("compressed");
  testing::create_topic(servers_.brokers(), topic);
  Options options;
  options.kafka.brokers = servers_.brokers();
  options.kafka.topic = topic;
  options.kafka.properties = {{"compression.type", "lz4"}};
  ASSERT_TRUE(open(options).ok());
  EXPECT_TRUE(engine_->stop(seconds{10}).ok());
}

TEST_F(OpenFlowTest, OpensWithoutARedisThatAnswers) {
  const std::string topic = testing::unique_name("no-redis");
  testing::create_topic(servers_.brokers(), topic);
  Options options;
  options.kafka.brokers = servers_.brokers();
  options.kafka.topic = topic;
  options.redis.address = "127.0.0.1:1";
  options.on_log = [](const LogLine&) {};
  const Status status = open(options);
  EXPECT_TRUE(status.ok()) << status.message;
  EXPECT_LT(took_, seconds{2});
}

}  // namespace
}  // namespace dualstream
