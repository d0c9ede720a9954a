// No file descriptor is left when both servers come back: both sides back off instead of spinning,
// and go on once there is room.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/kafka_admin.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::seconds;
using testing::EngineRun;
using testing::eventually;

// Holds every descriptor that the system gives, but `left`.
class AllDescriptors {
 public:
  explicit AllDescriptors(std::size_t left = 0) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit low{.rlim_cur = 256, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (;;) {
      const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (fd < 0) break;
      held_.push_back(fd);
    }
    EXPECT_EQ(errno, EMFILE);
    for (; left > 0 && !held_.empty(); --left) {
      ::close(held_.back());
      held_.pop_back();
    }
  }
  ~AllDescriptors() {
    for (const int fd : held_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  AllDescriptors(const AllDescriptors&) = delete;
  AllDescriptors& operator=(const AllDescriptors&) = delete;

  // What a closed connection has given back meanwhile.
  void take_again() {
    for (int fd = 0; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) held_.push_back(fd);
  }

 private:
  rlimit before_{};
  std::vector<int> held_;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds_of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

class OutOfDescriptorsFaultTest : public ::testing::Test {
 protected:
  OutOfDescriptorsFaultTest() { testing::create_topic(servers_.brokers(), topic_); }

  testing::Servers servers_;
  const std::string topic_ = testing::unique_name("out-of-descriptors");
};

TEST_F(OutOfDescriptorsFaultTest, P11_BothSidesBackOffAndGoOnWhenThereIsRoom) {
  EngineRun run{EngineRun::options(servers_.brokers(), topic_, servers_.redis_address())};
  run.publish({.events = 5'000});
  ASSERT_TRUE(run.drained_within(seconds{10}));
  servers_.kill("kafka");
  servers_.kill("redis");
  double share = 0;
  {
    AllDescriptors none_left;
    run.publish({.events = 5'000});
    none_left.take_again();
    const double cpu = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(
        seconds{3});  // tidy: allow(sleep) what is measured is doing nothing
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    share = (cpu_seconds() - cpu) / took.count();
  }
  std::printf("CPU without a descriptor: %.2f %%\n", 100 * share);
  EXPECT_LE(share, 0.05);
  EXPECT_EQ(run.stats()[Counter::pending], 5'000U);
  servers_.start("kafka");
  servers_.start("redis");
  EXPECT_TRUE(run.drained_within(seconds{120}));
  EXPECT_TRUE(eventually(seconds{20}, [&] { return run.stats()[Counter::notified] > 5'000; }))
      << "Redis is told again";
  EXPECT_TRUE(run.stop().ok());
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, 10'000U);
}

TEST_F(OutOfDescriptorsFaultTest, P11_OpenSaysSoOrSucceedsHoweverFewAreLeft) {
  std::size_t refused = 0;
  for (std::size_t left = 0; left < 24; ++left) {
    Options options = EngineRun::options(servers_.brokers(), topic_, servers_.redis_address());
    options.kafka.open_timeout = std::chrono::milliseconds{300};
    options.on_log = [](const LogLine&) {};
    std::unique_ptr<Engine> engine;
    Status status;
    {
      const AllDescriptors nearly_none_left{left};
      status = Engine::open(options, engine);
    }
    EXPECT_EQ(status.ok(), engine != nullptr);
    if (!status.ok()) {
      refused += 1;
      EXPECT_TRUE(status.code == StatusCode::exhausted || status.code == StatusCode::unreachable)
          << left << ": " << status.message;
      continue;
    }
    // It opened, so it delivers as soon as there is room.
    Publisher publisher = engine->publisher();
    const EventView event{
        .id = "1", .type = "T", .source_type = "s", .source_id = "x", .payload = "{}"};
    Outcome outcome;
    const Status delivered =
        publisher.publish_and_wait({&event, 1}, seconds{10}, std::span{&outcome, 1});
    EXPECT_TRUE(delivered.ok()) << left << ": " << delivered.message;
    EXPECT_TRUE(engine->stop(seconds{5}).ok());
  }
  EXPECT_GT(refused, 0U);
}

}  // namespace
}  // namespace dualstream
