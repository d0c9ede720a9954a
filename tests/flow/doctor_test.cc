// dualstream doctor before real servers: what it finds, what it advises, and how it ends.
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "command/program.h"
#include "support/kafka_admin.h"
#include "support/redis_admin.h"
#include "support/redis_subscriber.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace dualstream {
namespace {

using nlohmann::json;
using testing::ProgramEnd;
using Words = std::vector<std::string>;

class DoctorFlowTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    servers_ = std::make_unique<testing::Servers>();
    testing::create_topic(servers_->brokers(), "events");
  }
  static void TearDownTestSuite() { servers_.reset(); }

  DoctorFlowTest() : admin_(servers_->redis_address()) {}
  ~DoctorFlowTest() override { admin_.reply_to({"CONFIG", "SET", "requirepass", ""}); }

  [[nodiscard]] static Words words(const std::string& brokers, const std::string& topic) {
    return {"doctor",
            "--brokers",
            brokers,
            "--topic",
            topic,
            "--redis",
            servers_->redis_address(),
            "--open-timeout",
            "3s",
            "--json"};
  }
  [[nodiscard]] static Words words() { return words(servers_->brokers(), "events"); }

  // A member of what was found of one question, or "not asked".
  static std::string found(const ProgramEnd& end, const std::string& question, const char* member) {
    const json report = json::parse(end.output);
    for (const json& each : report["checks"]) {
      if (each["question"] == question) return each[member];
    }
    return "not asked";
  }
  static std::string verdict(const ProgramEnd& end, const std::string& question) {
    return found(end, question, "verdict");
  }
  static std::string fix(const ProgramEnd& end, const std::string& question) {
    return found(end, question, "fix");
  }

  static inline std::unique_ptr<testing::Servers> servers_;
  testing::RedisAdmin admin_;
};

TEST_F(DoctorFlowTest, FindsAllWellAndPublishesNoEvent) {
  const testing::RedisSubscriber subscriber{servers_->redis_address(), {.patterns = {"*"}}};
  const ProgramEnd end = testing::run_program(words());
  EXPECT_EQ(end.exit_code, 0) << end.output << end.errors;
  for (const char* question :
       {"kafka.resolve", "kafka.connect", "kafka.open", "kafka.topic", "kafka.limits",
        "redis.resolve", "redis.connect", "redis.login", "redis.publish", "redis.subscribe",
        "redis.clock", "system.descriptors", "system.libraries"}) {
    EXPECT_EQ(verdict(end, question), "ok") << question << "\n" << end.output;
  }
  EXPECT_EQ(json::parse(end.output)["exit_code"], 0);
  EXPECT_EQ(testing::read_topic(servers_->brokers(), "events").size(), 0U);
  const auto messages = subscriber.messages();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].channel, "events:repo:dualstream-doctor");
  EXPECT_EQ(json::parse(messages[0].text)["source_id"], "dualstream-doctor");

  Words text = words();
  text.pop_back();
  const ProgramEnd table = testing::run_program(text);
  EXPECT_NE(table.output.find("\nok       kafka.topic "), std::string::npos) << table.output;
}

TEST_F(DoctorFlowTest, SaysThatKafkaIsAway) {
  const ProgramEnd end = testing::run_program(words("127.0.0.1:1", "events"));
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(verdict(end, "kafka.connect"), "failed");
  EXPECT_EQ(verdict(end, "kafka.topic"), "skipped");
  EXPECT_EQ(verdict(end, "redis.subscribe"), "ok") << "the rest is asked all the same";
  EXPECT_NE(fix(end, "kafka.connect").find("Start the server"), std::string::npos);
}

TEST_F(DoctorFlowTest, SaysThatABrokerIsNoKafka) {
  // Redis takes connections, and speaks another language.
  const ProgramEnd end = testing::run_program(words(servers_->redis_address(), "events"));
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(verdict(end, "kafka.connect"), "ok");
  EXPECT_EQ(verdict(end, "kafka.open"), "failed");
}

TEST_F(DoctorFlowTest, SaysThatTheTopicIsWrong) {
  const ProgramEnd end = testing::run_program(words(servers_->brokers(), "evnets"));
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(verdict(end, "kafka.open"), "failed");
  EXPECT_EQ(fix(end, "kafka.open"), "Create the topic, or correct --topic.");
  EXPECT_NE(end.output.find("the cluster has no topic `evnets`"), std::string::npos) << end.output;
}

TEST_F(DoctorFlowTest, ComparesTheTopicWithTheOptions) {
  testing::create_topic(servers_->brokers(), "small", {.config = {{"max.message.bytes", "2000"}}});
  const ProgramEnd end = testing::run_program(words(servers_->brokers(), "small"));
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(verdict(end, "kafka.limits"), "warning");
  EXPECT_NE(fix(end, "kafka.limits").find("2000"), std::string::npos) << end.output;
}

TEST_F(DoctorFlowTest, SaysThatRedisWantsAPasswordAndNeverWhichOne) {
  admin_.command("CONFIG SET requirepass hunter2");
  const ProgramEnd without = testing::run_program(words());
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_EQ(verdict(without, "redis.login"), "failed");
  EXPECT_NE(fix(without, "redis.login").find("DUALSTREAM_REDIS_PASSWORD"), std::string::npos);
  const ProgramEnd wrong =
      testing::run_program(words(), {}, {.environment = {"DUALSTREAM_REDIS_PASSWORD=hunter3"}});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_EQ(wrong.output.find("hunter"), std::string::npos) << wrong.output;
  const ProgramEnd right =
      testing::run_program(words(), {}, {.environment = {"DUALSTREAM_REDIS_PASSWORD=hunter2"}});
  EXPECT_EQ(right.exit_code, 0) << right.output;
  EXPECT_EQ((right.output + right.errors).find("hunter"), std::string::npos);
}

TEST_F(DoctorFlowTest, KnowsAUserWhoMayOnlyPublishAndOneWhoMayNot) {
  admin_.command("ACL SETUSER writer on >secret resetchannels &events:* -@all +publish");
  admin_.command("ACL SETUSER reader on >secret resetchannels &events:* -@all +subscribe +ping");
  const auto as = [](const std::string& user) {
    Words all = words();
    all.insert(all.end(), {"--redis-user", user});
    return testing::run_program(all, {}, {.environment = {"DUALSTREAM_REDIS_PASSWORD=secret"}});
  };
  const ProgramEnd writer = as("writer");
  EXPECT_EQ(writer.exit_code, 0) << writer.output;
  EXPECT_EQ(verdict(writer, "redis.publish"), "ok");
  EXPECT_EQ(verdict(writer, "redis.subscribe"), "warning");
  EXPECT_NE(fix(writer, "redis.subscribe").find("+subscribe"), std::string::npos);
  const ProgramEnd reader = as("reader");
  EXPECT_EQ(reader.exit_code, 1) << reader.output;
  EXPECT_EQ(verdict(reader, "redis.publish"), "failed");
  EXPECT_NE(fix(reader, "redis.publish").find("+publish"), std::string::npos);
}

}  // namespace
}  // namespace dualstream
