// The wall clock jumps by a day and by an hour, forwards and back, in mid load.
//
// The clock of this program is ours: whatever asks for the time of day, librdkafka too, gets the
// real one and `clock_ahead`. The steady clock stays as it is, as the system's does. A wait until a
// time of day ends when that clock says so, as the system's does when somebody sets it.
#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/fault_run.h"
#include "support/kafka_admin.h"
#include "support/servers.h"

namespace {

std::atomic<std::int64_t> clock_ahead_s{0};
std::atomic<std::uint64_t> times_asked{0};

constexpr std::int64_t kNsPerS = 1'000'000'000;

int system_time(clockid_t clock, timespec* time) {
  return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
}

timespec our_time_of_day() {
  timespec time{};
  system_time(CLOCK_REALTIME, &time);
  time.tv_sec += clock_ahead_s.load();
  times_asked += 1;
  return time;
}

std::int64_t ns_of(const timespec& time) {
  return std::int64_t{time.tv_sec} * kNsPerS + time.tv_nsec;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock != CLOCK_REALTIME) return system_time(clock, time);
  *time = our_time_of_day();
  return 0;
}

int gettimeofday(timeval* time, void* /*zone*/) noexcept {
  const timespec now = our_time_of_day();
  *time = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1'000};
  return 0;
}

time_t time(time_t* into) noexcept {
  const time_t now = our_time_of_day().tv_sec;
  if (into != nullptr) *into = now;
  return now;
}

int timespec_get(timespec* time, int base) noexcept {
  *time = our_time_of_day();
  return base;
}

// Looks at our clock every few milliseconds, so that a jump ends or prolongs a wait under way.
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  using Function = int (*)(cnd_t*, mtx_t*, const timespec*);
  static const auto system = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "cnd_timedwait"));
  while (true) {
    const std::int64_t left = ns_of(*until) - ns_of(our_time_of_day());
    if (left <= 0) return thrd_timedout;
    timespec end{};
    system_time(CLOCK_REALTIME, &end);
    const std::int64_t at = ns_of(end) + std::min<std::int64_t>(left, 10'000'000);
    end = {.tv_sec = at / kNsPerS, .tv_nsec = at % kNsPerS};
    const int result = system(condition, mutex, &end);
    if (result != thrd_timedout) return result;
  }
}

}  // extern "C"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BackgroundLoad;
using testing::EngineRun;
using testing::eventually;

constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kDay = 24 * kHour;

class ClockFaultTest : public ::testing::Test {
 protected:
  ~ClockFaultTest() override { clock_ahead_s = 0; }

  Options options(const testing::TopicOptions& topic) {
    testing::create_topic(servers_.brokers(), topic_, topic);
    Options options = EngineRun::options(servers_.brokers(), topic_, servers_.redis_address());
    // Short against the jumps, long against a busy machine.
    options.kafka.delivery_timeout = seconds{60};
    return options;
  }
  // Sets the clock, and waits until the load has gone on for a while.
  static void jump(EngineRun& run, std::int64_t ahead_s) {
    clock_ahead_s = ahead_s;
    const std::size_t before = run.outcomes();
    EXPECT_TRUE(eventually(seconds{30}, [&] { return run.outcomes() > before + 5'000; }))
        << "stuck with a clock that is " << ahead_s << " s ahead";
  }

  const testing::SharedServers servers_;
  const std::string topic_ = testing::unique_name("clock");
};

TEST_F(ClockFaultTest, P9_JumpsByADayAndAnHourFailNothing) {
  // By default a broker refuses events that are an hour in its future; see the next case.
  EngineRun run{options({.config = {{"message.timestamp.after.max.ms", "9223372036854775807"}}})};
  BackgroundLoad load{run, {.threads = 2, .events = 500}};
  const std::uint64_t asked = times_asked;
  for (const std::int64_t ahead : {std::int64_t{0}, kDay, kDay - kHour, std::int64_t{0}, -kHour,
                                   -kDay, kDay, std::int64_t{0}}) {
    jump(run, ahead);
  }
  EXPECT_GT(times_asked, asked) << "the clock that was set is the one that is asked";
  const testing::LoadResult result = load.finish();
  EXPECT_EQ(result.full + result.refused, 0U);
  EXPECT_TRUE(run.drained_within(seconds{120}));
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::failed], 0U);
  EXPECT_EQ(run.stats()[Counter::producer_rebuilds], 0U);
  const testing::CheckReport report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
}

TEST_F(ClockFaultTest, P9_WhatTheBrokerRefusesForItsTimeIsSaidAndTheRestGoesOn) {
  EngineRun run{options({})};
  BackgroundLoad load{run, {.threads = 2, .events = 500}};
  jump(run, 0);
  EXPECT_EQ(run.failed(Failure::rejected), 0U);
  clock_ahead_s = kDay;
  EXPECT_TRUE(eventually(seconds{30}, [&] { return run.failed(Failure::rejected) > 1'000; }));
  clock_ahead_s = 0;
  const std::uint64_t before = run.stats()[Counter::delivered];
  EXPECT_TRUE(
      eventually(seconds{30}, [&] { return run.stats()[Counter::delivered] > before + 5'000; }));
  load.finish();
  EXPECT_TRUE(run.drained_within(seconds{120}));
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.failed(Failure::rejected), run.stats()[Counter::failed]);
  EXPECT_EQ(run.stats()[Counter::failed_maybe_persisted], 0U);
  const testing::CheckReport report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
}

}  // namespace
}  // namespace dualstream
