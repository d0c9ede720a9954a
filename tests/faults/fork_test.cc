// The host program forks: in the child the engine refuses and its end touches nothing, and the
// parent goes on.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/fault_run.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EngineRun;
using testing::eventually;

// What a child says by its exit code.
enum ChildCode : int { as_promised, took_an_event, wrong_reason, stopped_it, counted, no_end };

// The child's whole life, in which every thread but this one is missing.
ChildCode live_in_child(std::unique_ptr<EngineRun>& run, Publisher& old_publisher) {
  const testing::VerifyingEvents events{{.source_prefix = "child/s"}};
  const auto event = events.make(0, 0);
  Publisher new_publisher = run->engine().publisher();
  for (Publisher* publisher : {&old_publisher, &new_publisher}) {
    if (publisher->publish(event.view()) != PublishResult::stopping) return took_an_event;
    if (publisher->publish(event.view(), seconds{60}) != PublishResult::stopping)
      return took_an_event;
    if (publisher->refusal_reason().find("parent") == std::string_view::npos) return wrong_reason;
    Outcome outcome;
    const EventView view = event.view();
    const Status waited =
        publisher->publish_and_wait({&view, 1}, seconds{60}, std::span{&outcome, 1});
    if (waited.ok() || outcome.kind != OutcomeKind::refused) return took_an_event;
  }
  if (run->engine().stop(seconds{60}).code != StatusCode::stopped) return stopped_it;
  if (!run->stats().balances() || run->stats()[Counter::offered] != 0) return counted;
  run.reset();
  return as_promised;
}

class ForkFaultTest : public ::testing::Test {
 protected:
  ForkFaultTest() { testing::create_topic(servers_.brokers(), topic_); }

  Options options() {
    return EngineRun::options(servers_.brokers(), topic_, servers_.redis_address());
  }

  // The exit code of a child, which has to end by itself within 10 s.
  static int end_of(pid_t child) {
    int status = 0;
    if (!eventually(seconds{10}, [&] { return ::waitpid(child, &status, WNOHANG) == child; })) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      return no_end;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  const testing::SharedServers servers_;
  const std::string topic_ = testing::unique_name("fork");
};

TEST_F(ForkFaultTest, P8_InMidLoadTheChildIsRefusedAndTheParentGoesOn) {
  auto run = std::make_unique<EngineRun>(options());
  Publisher publisher = run->engine().publisher();
  std::atomic<bool> loaded{false};
  std::thread loading{[&] {
    run->publish({.threads = 4, .events = 200'000});
    loaded = true;
  }};
  std::size_t forks = 0;
  while (!loaded && forks < 100 * testing::fault_scale()) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(live_in_child(run, publisher));
    ++forks;
    EXPECT_EQ(end_of(child), as_promised) << "fork " << forks;
  }
  loading.join();
  EXPECT_GT(forks, 0U);
  RecordProperty("forks", static_cast<int>(forks));
  EXPECT_TRUE(run->stop().ok());
  EXPECT_EQ(run->stats()[Counter::delivered], 200'000U);
  EXPECT_EQ(run->stats()[Counter::kafka_errors], 0U) << "no connection broke";
  const auto report = run->check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, 200'000U);
}

TEST_F(ForkFaultTest, P8_AChildMayOpenAnEngineOfItsOwn) {
  auto run = std::make_unique<EngineRun>(options());
  run->publish({.events = 1'000});
  ASSERT_TRUE(run->drained_within(seconds{10}));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::unique_ptr<Engine> own;
    Options quiet = options();
    quiet.redis.address.clear();
    if (!Engine::open(quiet, own).ok()) ::_exit(took_an_event);
    Publisher publisher = own->publisher();
    const EventView event{
        .id = "1", .type = "T", .source_type = "child", .source_id = "x", .payload = "{}"};
    if (publisher.publish(event) != PublishResult::accepted) ::_exit(wrong_reason);
    if (!own->stop(seconds{5}).ok()) ::_exit(stopped_it);
    ::_exit(own->stats()[Counter::delivered] == 1 ? as_promised : counted);
  }
  EXPECT_EQ(end_of(child), as_promised);
  run->publish({.events = 1'000});
  EXPECT_TRUE(run->stop().ok());
  EXPECT_EQ(testing::read_topic(servers_.brokers(), topic_).size(), 2'001U);
}

}  // namespace
}  // namespace dualstream
