// What Kafka refused is saved, and published again from there, byte for byte.
#include "dead_letter.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "command/program.h"
#include "command/temporary_folder.h"
#include "support/eventually.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace dualstream {
namespace {

using nlohmann::json;
using testing::Program;
using testing::ProgramEnd;
using Words = std::vector<std::string>;

std::string event(int id) {
  return R"({"id":")" + std::to_string(id) + R"(","type":"PushEvent","repo":{"name":"owner/r)" +
         std::to_string(id % 7) +
         "\"},\"text\":\"größer \\\"quoted\\\" \\u0000 \\ud83d\\ude00 \x7f\", \t\"n\":1e30}";
}

std::string events(int first, int last) {
  std::string text;
  for (int id = first; id <= last; ++id) text += event(id) + '\n';
  return text;
}

class DeadLetterFlowTest : public ::testing::Test {
 protected:
  static constexpr std::string_view kUser = "User:app";
  static constexpr std::string_view kUsers =
      "listener.name.sasl_plaintext.plain.sasl.jaas.config="
      "org.apache.kafka.common.security.plain.PlainLoginModule required user_app=\"secret\";";

  DeadLetterFlowTest()
      : servers_{{"--no-redis", "--kafka-listener", "SASL_PLAINTEXT", "--kafka-property",
                  "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                  "--kafka-property", "super.users=User:ANONYMOUS", "--kafka-property",
                  "sasl.enabled.mechanisms=PLAIN", "--kafka-property", std::string{kUsers}}} {
    testing::create_topic(servers_.brokers(), topic_);
    let_write();
  }

  // Returns when the broker acts on the right, which is a moment after it took it.
  void let_write() const {
    testing::allow_writing(servers_.brokers(), std::string{kUser}, topic_);
    EXPECT_TRUE(testing::eventually(std::chrono::seconds{30}, [this] {
      return testing::run_program(words({}), {}, environment()).exit_code == 0;
    }));
  }

  [[nodiscard]] Words words(const Words& more) const {
    Words all{"ingest",  "--brokers", servers_.brokers("SASL_PLAINTEXT"),
              "--topic", topic_,      "--log-level",
              "error",   "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] static testing::ProgramOptions environment() {
    return {.environment = {"DUALSTREAM_KAFKA_PROPERTY=security.protocol=sasl_plaintext;"
                            "sasl.mechanism=PLAIN;sasl.username=app;sasl.password=secret"}};
  }
  // How often each payload stands in the topic.
  [[nodiscard]] std::map<std::string, int> payloads() const {
    std::map<std::string, int> counts;
    for (const testing::Record& record : testing::read_topic(servers_.brokers(), topic_)) {
      counts[record.value.value_or("")] += 1;
    }
    return counts;
  }

  testing::Servers servers_;
  const testing::TemporaryFolder folder_;
  const std::string topic_ = testing::unique_name("dead-letter");
  const std::string dead_ = folder_.path("dead");
};

TEST_F(DeadLetterFlowTest, WhatKafkaRefusedIsThereOnceWhenItWasPublishedAgain) {
  constexpr int kEvents = 3'000;
  Program program{words({"--dead-letter", dead_}), environment()};
  program.write(events(1, kEvents / 2));
  ASSERT_TRUE(testing::eventually(std::chrono::seconds{30},
                                  [this] { return payloads().size() == kEvents / 2; }));
  testing::forbid_writing(servers_.brokers(), std::string{kUser}, topic_);
  program.write(events(kEvents / 2 + 1, kEvents));
  const ProgramEnd refused = program.finish();
  EXPECT_EQ(refused.exit_code, 1) << refused.errors;
  const json ledger = json::parse(refused.output);
  EXPECT_EQ(ledger["counters"]["failed"], kEvents / 2);
  EXPECT_EQ(ledger["counters"]["failed_maybe_persisted"], 0);
  EXPECT_EQ(ledger["failed_by_reason"]["unauthorized"], kEvents / 2);

  let_write();
  const ProgramEnd again =
      testing::run_program(words({"--from-dead-letter", dead_}), {}, environment());
  EXPECT_EQ(again.exit_code, 0) << again.errors << again.output;
  const std::map<std::string, int> found = payloads();
  EXPECT_EQ(found.size(), static_cast<std::size_t>(kEvents));
  for (int id = 1; id <= kEvents; ++id) {
    const auto at = found.find(event(id));
    ASSERT_TRUE(at != found.end()) << event(id);
    EXPECT_EQ(at->second, 1) << event(id);
  }
}

TEST_F(DeadLetterFlowTest, ADamagedLineCostsOnlyItselfAndAnyBytesArePublished) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  std::string letters;
  const auto add = [&letters](std::string_view id, std::string_view payload, Persisted persisted) {
    command::append_dead_letter(letters,
                                {.kind = OutcomeKind::failed,
                                 .failure = Failure::timed_out,
                                 .persisted = persisted,
                                 .event = {.id = id,
                                           .type = "T",
                                           .source_type = "repo",
                                           .source_id = "a/\xff",
                                           .payload = payload}},
                                "-", 1);
  };
  add("1", bytes, Persisted::no);
  add("2", "", Persisted::maybe);
  letters += R"({"id":"3","type":"T","source_type":"repo","sou)"
             "\n";
  add("4", "no JSON", Persisted::maybe);
  const std::string file = folder_.write("letters", letters + "x");
  const ProgramEnd end = testing::run_program(
      words({"--from-dead-letter", file, "--checkpoint", folder_.path("state")}), {},
      environment());
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_EQ(json::parse(end.output)["bad"], 2);
  EXPECT_EQ(json::parse(end.output)["counters"]["delivered"], 3);
  EXPECT_NE(end.errors.find(file + ":3: not a dead letter: "), std::string::npos) << end.errors;
  EXPECT_NE(end.errors.find(file + ":5: not a dead letter: "), std::string::npos) << end.errors;
  EXPECT_EQ(payloads(), (std::map<std::string, int>{{bytes, 1}, {"", 1}, {"no JSON", 1}}));
  for (const testing::Record& record : testing::read_topic(servers_.brokers(), topic_)) {
    EXPECT_EQ(record.key, "a/\xff");
  }
}

TEST_F(DeadLetterFlowTest, TakesTheFileOrOperandsAndWritesToAnotherFile) {
  const std::string file = folder_.write("letters", "");
  EXPECT_EQ(
      testing::run_program(words({"--from-dead-letter", file, file}), {}, environment()).exit_code,
      2);
  EXPECT_EQ(testing::run_program(words({"--from-dead-letter", file, "--dead-letter", file}), {},
                                 environment())
                .exit_code,
            2);
}

}  // namespace
}  // namespace dualstream
