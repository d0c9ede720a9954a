// The larger examples of docs/examples, as a user runs them.
#include <httplib.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "command/program.h"
#include "dualstream/engine.h"
#include "support/command.h"
#include "support/engine_run.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace dualstream::testing {
namespace {

using std::chrono::seconds;

// What a browser has seen: ids and data, in order.
struct Seen {
  std::vector<std::string> ids;
  std::vector<std::string> data;
};

Seen read(const std::string& stream) {
  Seen seen;
  std::istringstream lines{stream};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("id: ")) seen.ids.push_back(line.substr(4));
    if (line.starts_with("data: ")) seen.data.push_back(line.substr(6));
  }
  return seen;
}

class ExamplesFlowTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> environment() const {
    return {"KAFKA_BROKERS=" + brokers_, "KAFKA_TOPIC=" + topic_,
            "REDIS_ADDRESS=" + servers_.redis_address()};
  }
  [[nodiscard]] ProgramOptions example(const std::string& name) const {
    return {.program = binary_dir() + "/tests/" + name + "_example", .environment = environment()};
  }

  const SharedServers servers_;
  std::string brokers_ = servers_.brokers();
  const std::string topic_ = unique_name("examples");
};

class SseExampleTest : public ExamplesFlowTest {
 protected:
  SseExampleTest() {
    create_topic(servers_.brokers(), topic_, {.partitions = 4});
    const Status status = Engine::open(
        EngineRun::options(servers_.brokers(), topic_, servers_.redis_address()), engine_);
    EXPECT_TRUE(status.ok()) << status.message;
  }

  void publish(const std::string& id) {
    Publisher publisher = engine_->publisher();
    const std::string payload = R"({"number":)" + id + "}";
    const std::vector<EventView> events{{.id = id,
                                         .type = "PushEvent",
                                         .source_type = "repo",
                                         .source_id = source_,
                                         .payload = payload}};
    std::vector<Outcome> outcomes(1);
    const Status status = publisher.publish_and_wait(events, seconds{20}, outcomes);
    ASSERT_TRUE(status.ok()) << status.message;
  }

  // Stays until it has seen `count` events; then, and after each before, `seen` is called.
  Seen browse(const std::string& url, const httplib::Headers& headers, std::size_t count,
              const std::function<void(const Seen&)>& seen = {}) {
    httplib::Client client{url};
    client.set_read_timeout(seconds{20});
    std::string stream;
    static_cast<void>(
        client.Get("/events?source=" + source_, headers, [&](const char* bytes, std::size_t size) {
          stream.append(bytes, size);
          const Seen so_far = read(stream);
          if (seen) seen(so_far);
          return so_far.data.size() < count;
        }));
    return read(stream);
  }

  // A name that needs no escaping in a URL.
  const std::string source_ = unique_name("owner.repo");
  std::unique_ptr<Engine> engine_;
};

TEST_F(SseExampleTest, ABrowserThatComesBackGoesOnWhereItWas) {
  for (const char* id : {"1", "2", "3"}) publish(id);
  Program sse{{"0"}, example("sse")};
  ASSERT_TRUE(sse.wait_for_error("listening at ")) << sse.errors();
  ASSERT_TRUE(sse.wait_for_error("\n"));
  std::string url = sse.errors();
  url = url.substr(url.find("http://"));
  url.resize(url.find('\n'));

  const Seen first = browse(url, {}, 3);
  EXPECT_EQ(first.data,
            (std::vector<std::string>{R"({"number":1})", R"({"number":2})", R"({"number":3})"}));
  ASSERT_EQ(first.ids.size(), 3U);

  // What it has not seen comes from Kafka, what is published meanwhile live.
  bool published = false;
  const Seen second = browse(url, {{"Last-Event-ID", first.ids[0]}}, 3, [&](const Seen& so_far) {
    if (so_far.data.size() < 2 || published) return;
    published = true;
    publish("4");
  });
  EXPECT_EQ(second.data,
            (std::vector<std::string>{R"({"number":2})", R"({"number":3})", R"({"number":4})"}));

  httplib::Client client{url};
  EXPECT_EQ(client.Get("/events")->status, 400);
  EXPECT_EQ(client.Get("/events?source=a", {{"Last-Event-ID", "three"}})->status, 400);
  sse.send(SIGTERM);
  const ProgramEnd end = sse.finish();
  EXPECT_EQ(end.exit_code, 0) << end.errors;
}

class OutcomesExampleTest : public ExamplesFlowTest {
 protected:
  ~OutcomesExampleTest() override { std::filesystem::remove(failed_file_); }

  ProgramEnd ingest(const std::string& input) const {
    return run_program({failed_file_}, input, example("outcomes"));
  }
  [[nodiscard]] std::string failed() const {
    std::ifstream file{failed_file_};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  static std::string lines(std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) {
      all.append(R"({"id":)").append(std::to_string(i));
      all.append(R"(,"type":"PushEvent","repo":{"name":"owner/repo"}})").append("\n");
    }
    return all;
  }

  const std::string failed_file_ =
      (std::filesystem::temp_directory_path() / unique_name("failed")).string();
};

TEST_F(OutcomesExampleTest, PublishesEveryGoodLine) {
  create_topic(servers_.brokers(), topic_, {.partitions = 4});
  const ProgramEnd end = ingest(lines(100) + "{\"id\":\n" + lines(1));
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_NE(end.errors.find("refused: "), std::string::npos) << end.errors;
  EXPECT_EQ(failed(), "");
  EXPECT_EQ(read_topic(servers_.brokers(), topic_).size(), 101U);
}

TEST_F(OutcomesExampleTest, SaysAtOnceThatNobodyMadeTheTopic) {
  const ProgramEnd end = ingest(lines(3));
  EXPECT_EQ(end.exit_code, EXIT_FAILURE);
  EXPECT_NE(end.errors.find(topic_), std::string::npos) << end.errors;
}

TEST_F(OutcomesExampleTest, KeepsWhatKafkaDidNotTake) {
  brokers_ = "127.0.0.1:1";  // Nobody is there.
  const ProgramEnd end = ingest(lines(3));
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_EQ(failed(), lines(3));
}

}  // namespace
}  // namespace dualstream::testing
