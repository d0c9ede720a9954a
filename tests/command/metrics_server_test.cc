// /metrics and /healthz: of the server by itself, and of a run of the command.
#include "metrics_server.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "command/program.h"
#include "support/eventually.h"
#include "support/prometheus_format.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::eventually;
using testing::Program;
using testing::ProgramEnd;
using testing::run_program;

struct Answer {
  int status = 0;
  std::string type;
  std::string body;
};

Answer get(const std::string& url, const std::string& path) {
  httplib::Client client{url};
  client.set_read_timeout(seconds{20});
  const httplib::Result result = client.Get(path);
  if (!result) return {};
  return {result->status, result->get_header_value("Content-Type"), result->body};
}

// A client that connects, sends `text` and then nothing.
class SilentClient {
 public:
  SilentClient(int port, std::string_view text) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(socket_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  SilentClient(SilentClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  SilentClient(const SilentClient&) = delete;
  SilentClient& operator=(const SilentClient&) = delete;
  ~SilentClient() {
    if (socket_ >= 0) ::close(socket_);
  }

 private:
  int socket_;
};

int port_of(const std::string& url) { return std::stoi(url.substr(url.rfind(':') + 1)); }

// ---- The server by itself

TEST(HttpAddressTest, IsHostAndPort) {
  HttpAddress address;
  EXPECT_TRUE(parse_http_address("127.0.0.1:0", address).ok());
  EXPECT_EQ(address.host, "127.0.0.1");
  EXPECT_EQ(address.port, 0);
  EXPECT_TRUE(parse_http_address("[::1]:9464", address).ok());
  EXPECT_EQ(address.host, "::1");
  EXPECT_EQ(address.port, 9464);
  for (const char* bad : {"", "9464", "host", "host:", ":9464", "host:port", "host:65536",
                          "host:-1", "::1:9464", "[]:1", "host:1 "}) {
    const Status status = parse_http_address(bad, address);
    EXPECT_EQ(status.code, StatusCode::invalid_options) << bad;
    EXPECT_NE(status.message.find("give HOST:PORT"), std::string::npos) << status.message;
  }
}

class MetricsServerTest : public ::testing::Test {
 protected:
  MetricsServerTest() { EXPECT_TRUE(StopRequest::make(seconds{1}, stop_).ok()); }

  Status start(int port = 0) {
    return MetricsServer::start({.host = "127.0.0.1", .port = port}, *stop_, server_);
  }

  std::unique_ptr<StopRequest> stop_;
  std::unique_ptr<MetricsServer> server_;
};

TEST_F(MetricsServerTest, SaysThatItIsStartingUntilThereIsAnEngine) {
  ASSERT_TRUE(start().ok());
  EXPECT_EQ(get(server_->url(), "/healthz").status, 503);
  EXPECT_EQ(get(server_->url(), "/healthz").body, "starting\n");
  EXPECT_EQ(get(server_->url(), "/metrics").status, 503);
  EXPECT_EQ(get(server_->url(), "/").status, 404);
  stop_->request(StopReason::signal);
  EXPECT_EQ(get(server_->url(), "/healthz").body, "stopping\n");
}

TEST_F(MetricsServerTest, ABusyPortIsAnError) {
  ASSERT_TRUE(start().ok());
  std::unique_ptr<MetricsServer> second;
  const int port = port_of(server_->url());
  const Status status = MetricsServer::start({.host = "127.0.0.1", .port = port}, *stop_, second);
  EXPECT_EQ(status.code, StatusCode::invalid_options);
  EXPECT_NE(status.message.find("127.0.0.1:" + std::to_string(port)), std::string::npos);
  EXPECT_NE(status.message.find("Address already in use"), std::string::npos) << status.message;
}

TEST_F(MetricsServerTest, APortIsFreeAgainAtOnce) {
  ASSERT_TRUE(start().ok());
  const int port = port_of(server_->url());
  EXPECT_EQ(get(server_->url(), "/healthz").status, 503);
  server_.reset();
  EXPECT_TRUE(start(port).ok());
}

TEST_F(MetricsServerTest, SilentClientsDelayOthersForAMomentAndTheEndForLess) {
  ASSERT_TRUE(start().ok());
  std::vector<SilentClient> silent;
  for (int i = 0; i < 8; ++i) silent.emplace_back(port_of(server_->url()), "GET /metr");
  // They are given up four at a time, each after kPatience.
  const auto began = steady_clock::now();
  EXPECT_EQ(get(server_->url(), "/healthz").status, 503);
  EXPECT_LT(steady_clock::now() - began, seconds{15});
  for (int i = 0; i < 4; ++i) silent.emplace_back(port_of(server_->url()), "GET /metr");
  const auto ends = steady_clock::now();
  server_.reset();
  EXPECT_LT(steady_clock::now() - ends, milliseconds{1'900}) << "it does not wait for kPatience";
}

// ---- A run of the command

std::vector<std::string> ingest(const std::vector<std::string>& more) {
  std::vector<std::string> words{"ingest",      "--topic", "events",    "--id",       "/id",
                                 "--source-id", "/repo",   "--metrics", "127.0.0.1:0"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// As its log has it.
std::string url_of(Program& program) {
  EXPECT_TRUE(program.wait_for_error("/metrics\n"));
  const std::string errors = program.errors();
  const std::size_t at = errors.find("http://");
  return errors.substr(at, errors.find("/metrics\n") - at);
}

constexpr std::string_view kEvent = "{\"id\":\"1\",\"type\":\"t\",\"repo\":\"a/b\"}\n";

TEST(IngestMetricsTest, TellsOfARunFromItsBeginningToItsEnd) {
  Program program{
      ingest({"--brokers", "127.0.0.1:1", "--kafka-property", "test.mock.num.brokers=1"})};
  const std::string url = url_of(program);
  program.write(kEvent);
  ASSERT_TRUE(eventually(seconds{20}, [&] {
    return get(url, "/metrics").body.find("\ndualstream_events_delivered_total 1\n") !=
           std::string::npos;
  })) << get(url, "/metrics").body;
  const Answer metrics = get(url, "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(testing::prometheus_format_error(metrics.body), "");
  EXPECT_NE(metrics.body.find("\ndualstream_publish_to_acknowledged_seconds_count 1\n"),
            std::string::npos);
  EXPECT_NE(metrics.body.find("\ndualstream_kafka_up 1\n"), std::string::npos);
  const Answer health = get(url, "/healthz");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.body, "ok\n");
  const ProgramEnd end = program.finish();
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_EQ(get(url, "/healthz").status, 0) << "nobody listens any more";
}

TEST(IngestMetricsTest, IsNotHealthyWithoutKafkaAndSaysWhy) {
  Program program{ingest({"--brokers", "127.0.0.1:1", "--wait-for-kafka", "--open-timeout", "100ms",
                          "--drain-timeout", "5s"})};
  const std::string url = url_of(program);
  ASSERT_TRUE(eventually(seconds{20}, [&] {
    return get(url, "/healthz").body.starts_with("kafka: unreachable (");
  })) << get(url, "/healthz").body;
  EXPECT_EQ(get(url, "/healthz").status, 503);
  EXPECT_EQ(get(url, "/metrics").status, 200) << "a scrape is answered all the same";
  program.write(kEvent);
  ASSERT_TRUE(eventually(seconds{20}, [&] {
    return get(url, "/metrics").body.find("\ndualstream_events_pending 1\n") != std::string::npos;
  }));
  program.send(SIGTERM);
  EXPECT_TRUE(eventually(seconds{5}, [&] {
    return get(url, "/healthz").body.starts_with("stopping; kafka: unreachable (");
  })) << "draining is stopping";
  EXPECT_EQ(program.finish().exit_code, 1);
}

TEST(IngestMetricsTest, ABusyPortEndsItBeforeAnythingIsPublished) {
  Program first{ingest({"--brokers", "127.0.0.1:1", "--wait-for-kafka", "--open-timeout", "0"})};
  const std::string address = url_of(first).substr(std::string_view{"http://"}.size());
  const ProgramEnd end =
      run_program({"ingest", "--brokers", "127.0.0.1:1", "--topic", "t", "--metrics", address});
  EXPECT_EQ(end.exit_code, 2) << end.errors;
  EXPECT_NE(end.errors.find("Address already in use"), std::string::npos) << end.errors;
  static_cast<void>(first.finish());
}

TEST(IngestMetricsTest, ABadAddressIsAUsageError) {
  const ProgramEnd end =
      run_program({"ingest", "--brokers", "127.0.0.1:1", "--topic", "t", "--metrics", "9464"});
  EXPECT_EQ(end.exit_code, 2);
  EXPECT_NE(end.errors.find("there is no port in it"), std::string::npos) << end.errors;
}

TEST(IngestMetricsTest, ASlowScraperDoesNotHoldTheRun) {
  Program program{
      ingest({"--brokers", "127.0.0.1:1", "--kafka-property", "test.mock.num.brokers=1"})};
  const int port = port_of(url_of(program));
  std::vector<SilentClient> silent;
  for (int i = 0; i < 9; ++i) silent.emplace_back(port, "GET /metrics HTTP/1.1\r\n");
  for (int i = 0; i < 1'000; ++i) program.write(kEvent);
  const auto began = steady_clock::now();
  const ProgramEnd end = program.finish();
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_NE(end.output.find("delivered 1,000"), std::string::npos) << end.output;
  EXPECT_LT(steady_clock::now() - began, seconds{15});
}

}  // namespace
}  // namespace dualstream::command
