// What networks do between the engine and Kafka: lost acknowledgements, cuts in mid request and in
// mid reply, slow, trickling, silent and resetting links. Nothing is lost and nothing is repeated.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/fault_run.h"
#include "support/kafka_admin.h"
#include "support/relay.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BackgroundLoad;
using testing::EngineRun;
using testing::eventually;
using testing::fault_scale;
using testing::Load;
using testing::LoadResult;
using testing::Relay;
using testing::RelayFaults;
using testing::Servers;

// What the scheduler may take on a machine that is busy with the servers and with other tests, too.
constexpr milliseconds kSchedulerSlack{400};

class NetworkFaultTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    relay = std::make_unique<Relay>(testing::fault_seed());
    servers = std::make_unique<Servers>(
        std::vector<std::string>{"--no-redis", "--kafka-property", relay->advertised()});
    relay->set_upstream(servers->brokers());
  }
  static void TearDownTestSuite() {
    servers.reset();
    relay.reset();
  }

  NetworkFaultTest() { testing::create_topic(servers->brokers(), topic_, {.partitions = 4}); }
  ~NetworkFaultTest() override {
    relay->be_silent(false);
    relay->refuse_connections(false);
    relay->heal();
  }

  // The engine's defaults, but for a client that comes back at once: a test makes many cuts.
  Options options() const {
    Options options = EngineRun::options(relay->address(), topic_);
    options.kafka.properties = {{"reconnect.backoff.ms", "10"}, {"reconnect.backoff.max.ms", "50"}};
    return options;
  }

  // Heals the network, stops, and compares the topic with what was promised.
  void expect_nothing_lost(EngineRun& run, std::size_t accepted) {
    relay->be_silent(false);
    relay->heal();
    EXPECT_TRUE(run.stop(seconds{60}).ok());
    EXPECT_EQ(run.stats()[Counter::delivered], accepted);
    const auto report = run.check_topic();
    EXPECT_TRUE(report.ok()) << report.text;
    EXPECT_EQ(report.records, accepted);
    note("events", accepted);
  }

  // Cuts connections in mid request and in mid reply, again and again under load.
  void expect_cuts_survived(Options small) {
    const std::size_t cuts = 60 * fault_scale();
    // Several requests pass before a cut, and some are cut.
    small.kafka.batch_bytes_max = 16 * 1024;
    EngineRun run{small};
    const auto before = relay->counts();
    relay->set_faults({.requests = {.cut_after = {.min = 1024, .max = 64 * 1024}},
                       .replies = {.cut_after = {.min = 1, .max = 2 * 1024}},
                       .faults_max = cuts});
    BackgroundLoad load{run, {.threads = 4, .events = 200}};
    EXPECT_TRUE(eventually(seconds{120 * static_cast<int>(fault_scale())},
                           [&] { return relay->counts().cuts() - before.cuts() == cuts; }));
    const LoadResult published = load.finish();
    expect_nothing_lost(run, published.accepted);
    note("cuts in mid request", relay->counts().cuts_in_requests - before.cuts_in_requests);
    note("cuts in mid reply", relay->counts().cuts_in_replies - before.cuts_in_replies);
  }

  static void note(const std::string& what, std::size_t figure) {
    RecordProperty(what, std::to_string(figure));
    std::cout << what << ": " << figure << '\n';
  }

  static std::unique_ptr<Relay> relay;
  static std::unique_ptr<Servers> servers;
  const std::string topic_ = testing::unique_name("network");
};

std::unique_ptr<Relay> NetworkFaultTest::relay;
std::unique_ptr<Servers> NetworkFaultTest::servers;

// A produce request with some events is larger than any other that the client sends.
constexpr std::size_t kProduceRequestBytes = 2'000;

TEST_F(NetworkFaultTest, K6_LostAcknowledgementsRepeatNothing) {
  const std::size_t losses = 20 * fault_scale();
  EngineRun run{options()};
  const auto before = relay->counts();
  relay->set_faults({.swallow_reply_to_bytes = kProduceRequestBytes, .faults_max = losses});
  BackgroundLoad load{run, {.threads = 4, .events = 200}};
  EXPECT_TRUE(eventually(seconds{60},
                         [&] { return relay->counts().swallowed - before.swallowed == losses; }));
  const LoadResult published = load.finish();
  expect_nothing_lost(run, published.accepted);
  note("acknowledgements lost", relay->counts().swallowed - before.swallowed);
}

// Shows that the relay loses what it should: without idempotence the same faults repeat events.
TEST_F(NetworkFaultTest, K6_LostAcknowledgementsRepeatEventsWithoutIdempotence) {
  Options unsafe = options();
  unsafe.kafka.allow_unsafe = true;
  unsafe.kafka.properties.emplace_back("enable.idempotence", "false");
  EngineRun run{unsafe};
  relay->set_faults({.swallow_reply_to_bytes = kProduceRequestBytes, .faults_max = 3});
  const LoadResult published = run.publish({.events = 2'000});
  EXPECT_TRUE(run.drained_within(seconds{120}));
  relay->heal();
  EXPECT_TRUE(run.stop().ok());
  const auto report = run.check_topic();
  EXPECT_EQ(report.missing, 0U) << report.text;
  EXPECT_GT(report.duplicates, 0U);
  EXPECT_EQ(report.records, published.accepted + report.duplicates);
}

TEST_F(NetworkFaultTest, K7_CutInMidRequestAndInMidReply) { expect_cuts_survived(options()); }

// A batch larger than what a connection carries before its cut goes through in the end, too.
TEST_F(NetworkFaultTest, K7_CutInMidRequestsOfFullBatches) {
  EngineRun run{options()};
  const auto before = relay->counts();
  relay->set_faults({.requests = {.cut_after = {.min = 1024, .max = 64 * 1024}}, .faults_max = 20});
  const LoadResult published = run.publish({.threads = 4, .events = 20'000 * fault_scale()});
  EXPECT_TRUE(
      eventually(seconds{60}, [&] { return relay->counts().cuts() - before.cuts() == 20; }));
  expect_nothing_lost(run, published.accepted);
  note("cuts in mid request", relay->counts().cuts() - before.cuts());
}

// Sources are shared out among clients, each with its own sequence in a partition.
TEST_F(NetworkFaultTest, K7_CutWithSeveralClients) {
  Options several = options();
  several.kafka.clients = 3;
  expect_cuts_survived(several);
}

// K8: the load is larger than the queue, so that publish() meets its bound and has to wait.
class SlowNetworkFaultTest : public NetworkFaultTest {
 protected:
  static constexpr milliseconds kPatience{100};

  Options options_with_a_small_queue() const {
    Options options = NetworkFaultTest::options();
    options.queue.events_max = 500;
    return options;
  }

  static void expect_patience_kept(const LoadResult& published) {
    EXPECT_LE(published.slowest_publish, kPatience + kSchedulerSlack);
    note("publish() said full", published.full);
    note("slowest publish() in ms",
         static_cast<std::size_t>(duration_cast<milliseconds>(published.slowest_publish).count()));
  }

  // The load while `broken` is so; the network is broken before and healed after.
  void publish_through(EngineRun& run, std::size_t events) {
    const LoadResult published =
        run.publish({.threads = 4, .events = events, .sources = 100, .patience = kPatience});
    EXPECT_EQ(published.accepted + published.full, events);
    expect_patience_kept(published);
    EXPECT_TRUE(run.drained_within(seconds{120})) << "while the network is as it is";
    expect_nothing_lost(run, published.accepted);
  }
};

TEST_F(SlowNetworkFaultTest, K8_LatencyOf200MsGiveOrTake100) {
  EngineRun run{options_with_a_small_queue()};
  const RelayFaults slow{.requests = {.delay = milliseconds{100}, .jitter = milliseconds{50}},
                         .replies = {.delay = milliseconds{100}, .jitter = milliseconds{50}}};
  relay->set_faults(slow);
  publish_through(run, 4'000 * fault_scale());
}

TEST_F(SlowNetworkFaultTest, K8_64KiBASecond) {
  EngineRun run{options_with_a_small_queue()};
  relay->set_faults(
      {.requests = {.bytes_per_second = 64 * 1024}, .replies = {.bytes_per_second = 64 * 1024}});
  publish_through(run, 1'500 * fault_scale());
}

TEST_F(SlowNetworkFaultTest, K8_OneByteAtATime) {
  EngineRun run{options_with_a_small_queue()};
  relay->set_faults({.requests = {.bytes_per_write = 1}, .replies = {.bytes_per_write = 1}});
  publish_through(run, 1'200 * fault_scale());
}

TEST_F(SlowNetworkFaultTest, K8_SilenceOfSeveralSeconds) {
  EngineRun run{options_with_a_small_queue()};
  ASSERT_EQ(run.publish({.threads = 4, .events = 400, .patience = kPatience}).accepted, 400U);
  relay->be_silent(true);
  const auto start = std::chrono::steady_clock::now();
  BackgroundLoad load{run, {.threads = 4, .events = 40, .patience = kPatience}};
  // Each refusal takes `kPatience`, and four threads meet them.
  const std::uint64_t refusals = 120 * fault_scale();
  EXPECT_TRUE(
      eventually(seconds{60}, [&] { return run.stats()[Counter::refused_full] >= refusals; }));
  const auto silence = std::chrono::steady_clock::now() - start;
  EXPECT_GE(silence, seconds{2 * fault_scale()});
  note("silence in ms", static_cast<std::size_t>(duration_cast<milliseconds>(silence).count()));
  relay->be_silent(false);
  EXPECT_TRUE(eventually(seconds{20}, [&] { return run.stats()[Counter::pending] < 100; }))
      << "it goes on when the network does";
  const LoadResult published = load.finish();
  EXPECT_GT(published.full, 0U);
  expect_patience_kept(published);
  expect_nothing_lost(run, 400 + published.accepted);
}

TEST_F(SlowNetworkFaultTest, K8_TenResetsASecond) {
  // With the engine's own pauses between two attempts, up to a second.
  Options options = options_with_a_small_queue();
  options.kafka.properties.clear();
  EngineRun run{options};
  const auto before = relay->counts();
  relay->set_faults({.reset_every = milliseconds{100}});
  BackgroundLoad load{run, {.threads = 4, .events = 200, .patience = kPatience}};
  const std::size_t resets = 15 * fault_scale();
  EXPECT_TRUE(eventually(seconds{60 * static_cast<int>(fault_scale())},
                         [&] { return relay->counts().resets - before.resets >= resets; }));
  const LoadResult published = load.finish();
  expect_patience_kept(published);
  EXPECT_TRUE(eventually(seconds{60}, [&] { return run.stats()[Counter::pending] == 0; }))
      << "what gets through between two resets is enough";
  note("resets", relay->counts().resets - before.resets);
  expect_nothing_lost(run, published.accepted);
}

}  // namespace
}  // namespace dualstream
