// `dualstream load` on real servers: what it measures, what it finds, and what it says when
// something is away.
#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "command/program.h"
#include "command/temporary_folder.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace dualstream::testing {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

// Nobody listens there.
constexpr const char* kNobody = "127.0.0.1:1";

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

class LoadFlowTest : public ::testing::Test {
 protected:
  LoadFlowTest() { create_topic(servers_.brokers(), topic_); }

  [[nodiscard]] ProgramEnd load(const Words& more) const {
    Words words{"load", "--brokers", servers_.brokers(), "--topic", topic_, "--json", "-"};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  }

  [[nodiscard]] Words with_redis(const Words& more) const {
    Words words{"--redis", servers_.redis_address(), "--channel",
                topic_ + ":{source_type}:{source_id}"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  const SharedServers servers_;
  const std::string topic_ = unique_name("load");
  const TemporaryFolder folder_;
};

TEST_F(LoadFlowTest, MeasuresThreeClocksAndFindsEverythingInTheTopic) {
  const std::string page = folder_.path("page.html");
  const ProgramEnd end = load(
      with_redis({"--rate",      "2000",      "--duration", "1s",        "--warmup",
                  "500ms",       "--threads", "2",          "--sources", "50",
                  "--subscribe", "--verify",  "--require",  "lost==0",   "--require",
                  "missed==0",   "--html",    page,         "--hgrm",    folder_.path("run")}));
  ASSERT_EQ(end.exit_code, 0) << end.output << end.errors;
  const json report = json::parse(end.output);
  const json& metrics = report["metrics"];
  // Each of the threads may have one more by its phase.
  const auto sent = metrics["sent"].get<std::size_t>();
  EXPECT_NEAR(static_cast<double>(sent), 3'000, 2);
  EXPECT_EQ(metrics["delivered"], sent);
  EXPECT_EQ(metrics["received"], sent);
  for (const char* clock : {"publish", "ack", "notify"}) {
    const std::string name{clock};
    EXPECT_NEAR(metrics[name + ".count"].get<double>(), 2'000, 2) << clock;
    EXPECT_EQ(metrics[name + ".count"], metrics["ack.count"]) << clock;
    EXPECT_GT(metrics[name + ".p50"], 0) << clock;
    EXPECT_LE(metrics[name + ".p50"], metrics[name + ".p99"]) << clock;
    EXPECT_LE(metrics[name + ".p99"], metrics[name + ".max"]) << clock;
  }
  EXPECT_LT(metrics["publish.p50"], metrics["ack.p50"]);
  EXPECT_LE(metrics["ack.p50"], metrics["notify.p50"]);
  for (const char* name : {"lost", "duplicated", "out_of_order", "corrupt", "failed", "dropped"}) {
    EXPECT_EQ(metrics[name], 0) << name;
  }
  EXPECT_TRUE(holds(folder_.read("page.html"), "</html>"));
  EXPECT_TRUE(holds(folder_.read("run.notify.hgrm"), "#[Max     = "));

  // By another client too.
  EXPECT_EQ(read_topic(servers_.brokers(), topic_).size(), sent);
}

TEST_F(LoadFlowTest, VerifiesItsOwnEventsAmongThoseOfOthers) {
  ASSERT_EQ(load({"--events", "500"}).exit_code, 0);
  const ProgramEnd end = load({"--events", "700", "--in-flight", "50", "--threads", "2", "--verify",
                               "--require", "lost==0", "--require", "delivered==700"});
  ASSERT_EQ(end.exit_code, 0) << end.output << end.errors;
  EXPECT_EQ(json::parse(end.output)["loop"], "closed");
}

TEST_F(LoadFlowTest, SendsTheLinesOfAFile) {
  const std::string file = folder_.write("lines", "{\"a\":1}\n{\"b\":\"two\"}\n");
  const ProgramEnd end = load({"--events", "10", "--payload-file", file, "--verify"});
  ASSERT_EQ(end.exit_code, 0) << end.output << end.errors;
  int a = 0;
  for (const Record& record : read_topic(servers_.brokers(), topic_)) {
    const json payload = json::parse(record.value.value());
    a += payload.contains("a") ? 1 : 0;
    EXPECT_TRUE(payload.contains("load"));
  }
  EXPECT_EQ(a, 5);
}

TEST_F(LoadFlowTest, EndsWithSevenWhenARequirementDoesNotHold) {
  const ProgramEnd end =
      load({"--events", "100", "--verify", "--require", "lost==0", "--require", "ack.max<1us"});
  EXPECT_EQ(end.exit_code, 7) << end.errors;
  EXPECT_TRUE(holds(end.errors, "Not met: ack.max<1us: it is ")) << end.errors;
  EXPECT_FALSE(holds(end.errors, "lost==0")) << end.errors;
  EXPECT_EQ(json::parse(end.output)["exit_code"], 7);
}

TEST_F(LoadFlowTest, MeasuresKafkaWhenRedisIsAwayAndSaysSo) {
  const Words arguments{"--events",
                        "500",
                        "--rate",
                        "1000",
                        "--redis",
                        kNobody,
                        "--subscribe",
                        "--verify",
                        "--redis-connect-timeout",
                        "100ms",
                        "--drain-timeout",
                        "2s"};
  const ProgramEnd end = load(arguments);
  EXPECT_EQ(end.exit_code, 0) << end.output << end.errors;
  EXPECT_TRUE(holds(end.errors, "the subscriber has no connection to Redis at 127.0.0.1:1"))
      << end.errors;
  const json metrics = json::parse(end.output)["metrics"];
  EXPECT_EQ(metrics["ack.count"], 500);
  EXPECT_EQ(metrics["lost"], 0);
  EXPECT_EQ(metrics["notify.count"], 0);
  EXPECT_TRUE(metrics["notify.p99"].is_null());
  EXPECT_EQ(metrics["notified"], 0);
  EXPECT_EQ(metrics["dropped"], 500);

  Words demanding = arguments;
  demanding.insert(demanding.end(), {"--require", "notify.p99<10s"});
  const ProgramEnd unmet = load(demanding);
  EXPECT_EQ(unmet.exit_code, 7);
  EXPECT_TRUE(holds(unmet.errors, "notify.p99<10s: nothing was measured")) << unmet.errors;
}

TEST_F(LoadFlowTest, RefusesAnUnknownTopicAndAKafkaThatIsAway) {
  const ProgramEnd topic = run_program(
      {"load", "--brokers", servers_.brokers(), "--topic", topic_ + "-no-such", "--events", "1"});
  EXPECT_EQ(topic.exit_code, 3) << topic.errors;
  EXPECT_TRUE(holds(topic.errors, topic_ + "-no-such")) << topic.errors;
  const ProgramEnd away = run_program({"load", "--brokers", kNobody, "--topic", topic_, "--events",
                                       "1", "--open-timeout", "500ms"});
  EXPECT_EQ(away.exit_code, 3) << away.errors;
  EXPECT_TRUE(holds(away.errors, kNobody)) << away.errors;
}

TEST_F(LoadFlowTest, RefusesWhatItCannotDoBeforeItPublishes) {
  const ProgramEnd metric = load({"--require", "ack.p98<1s"});
  EXPECT_EQ(metric.exit_code, 2);
  EXPECT_TRUE(holds(metric.errors, "did you mean `ack.p9")) << metric.errors;
  EXPECT_EQ(load({"--subscribe"}).exit_code, 2);
  EXPECT_EQ(load({"--payload-file", folder_.path("missing")}).exit_code, 5);
  EXPECT_EQ(load({"--html", folder_.path("no/such/folder")}).exit_code, 6);
  EXPECT_EQ(load({"something"}).exit_code, 2);
  EXPECT_TRUE(read_topic(servers_.brokers(), topic_).empty());
}

TEST_F(LoadFlowTest, ReportsWhatItHasWhenItIsInterrupted) {
  Program program{{"load", "--brokers", servers_.brokers(), "--topic", topic_, "--rate", "1000",
                   "--duration", "10m", "--verify", "--progress", "always"}};
  ASSERT_TRUE(program.wait_for_error("in Kafka"));
  program.send(SIGINT);
  const ProgramEnd end = program.wait();
  EXPECT_EQ(end.exit_code, 0) << end.output << end.errors;
  EXPECT_TRUE(holds(end.output, "Stopped by a signal")) << end.output;
  EXPECT_TRUE(holds(end.output, "every acknowledged event is in the topic")) << end.output;
}

TEST_F(LoadFlowTest, ComparesTwoRuns) {
  const std::string a = folder_.path("a.json");
  const std::string b = folder_.path("b.json");
  for (const std::string& file : {a, b}) {
    ASSERT_EQ(load({"--events", "200", "--json", file}).exit_code, 2) << "--json twice";
    const ProgramEnd end = run_program({"load", "--brokers", servers_.brokers(), "--topic", topic_,
                                        "--events", "200", "--json", file});
    ASSERT_EQ(end.exit_code, 0) << end.errors;
    EXPECT_TRUE(holds(end.output, "200 records sent, ")) << end.output;
  }
  const ProgramEnd end = run_program({"load", "compare", a, b});
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_TRUE(holds(end.output, "\nack.p99 ")) << end.output;
  EXPECT_EQ(run_program({"load", "compare", a}).exit_code, 2);
  EXPECT_EQ(run_program({"load", "compare", a, folder_.path("c.json")}).exit_code, 5);
}

}  // namespace
}  // namespace dualstream::testing
