#include "base/worker.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <string>

#include <gtest/gtest.h>

namespace dualstream::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Counts what it is given, and ends when it is told to.
class CountingDuty final : public Duty {
 public:
  std::size_t do_work(TimePoint) override {
    cycles.fetch_add(1);
    sigset_t blocked;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    all_blocked = ::sigismember(&blocked, SIGPIPE) == 1 && ::sigismember(&blocked, SIGTERM) == 1;
    const std::size_t work = given.exchange(0);
    done.fetch_add(work);
    return work;
  }
  [[nodiscard]] WakeUp wake_up() const override { return {.at = wake_at}; }
  [[nodiscard]] bool finished() const override { return end.load(); }

  std::atomic<std::size_t> given{0};
  std::atomic<std::size_t> done{0};
  std::atomic<std::size_t> cycles{0};
  std::atomic<bool> end{false};
  std::atomic<bool> all_blocked{false};
  TimePoint wake_at = kNever;
};

class WorkerTest : public ::testing::Test {
 protected:
  ~WorkerTest() override {
    duty_.end = true;
    parker_.unpark();
    worker_.join();
  }

  bool wait_until_done(std::size_t count) {
    const TimePoint deadline = Clock::now() + seconds{10};
    while (duty_.done.load() < count) {
      if (Clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  CountingDuty duty_;
  Parker parker_;
  Worker worker_;
};

TEST_F(WorkerTest, IsWokenByEachPushHoweverLongItSlept) {
  ASSERT_TRUE(worker_.start("test", duty_, parker_));
  for (std::size_t i = 1; i <= 200; ++i) {
    if (i % 10 == 0) {
      // Long enough for the worker to give up napping and park.
      const std::size_t cycles = duty_.cycles.load();
      const TimePoint parked_by = Clock::now() + milliseconds{5};
      while (Clock::now() < parked_by && duty_.cycles.load() < cycles + 100)
        std::this_thread::yield();
    }
    duty_.given = 1;
    parker_.unpark();
    ASSERT_TRUE(wait_until_done(i));
  }
}

TEST_F(WorkerTest, SleepsWhenThereIsNothingToDo) {
  ASSERT_TRUE(worker_.start("test", duty_, parker_));
  const TimePoint settled = Clock::now() + milliseconds{50};
  while (Clock::now() < settled) std::this_thread::yield();
  const std::size_t cycles = duty_.cycles.load();
  const TimePoint later = Clock::now() + milliseconds{100};
  while (Clock::now() < later) std::this_thread::yield();
  EXPECT_LE(duty_.cycles.load(), cycles + 2);
}

TEST_F(WorkerTest, WakesAtTheTimeTheDutyAsksFor) {
  duty_.wake_at = Clock::now() + milliseconds{30};
  ASSERT_TRUE(worker_.start("test", duty_, parker_));
  while (Clock::now() < duty_.wake_at) std::this_thread::yield();
  const std::size_t cycles = duty_.cycles.load();
  const TimePoint deadline = Clock::now() + seconds{10};
  while (duty_.cycles.load() == cycles && Clock::now() < deadline) std::this_thread::yield();
  EXPECT_GT(duty_.cycles.load(), cycles);
}

TEST_F(WorkerTest, BlocksEverySignalInItsThreadAndNoneInTheCallers) {
  sigset_t before;
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  ASSERT_TRUE(worker_.start("test", duty_, parker_));
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(::sigismember(&before, SIGTERM), ::sigismember(&after, SIGTERM));
  duty_.given = 1;
  parker_.unpark();
  ASSERT_TRUE(wait_until_done(1));
  EXPECT_TRUE(duty_.all_blocked);
}

TEST_F(WorkerTest, KnowsItsOwnThread) {
  ASSERT_TRUE(worker_.start("test", duty_, parker_));
  EXPECT_FALSE(worker_.is_current());
}

TEST(ParkerTest, AnUnparkBeforeTheParkIsNotLost) {
  Parker parker;
  ASSERT_TRUE(parker.ok());
  const TimePoint start = Clock::now();
  parker.prepare_to_park();
  parker.unpark();
  parker.park(start, {.at = start + seconds{30}});
  EXPECT_LT(Clock::now() - start, seconds{10});
}

TEST(ParkerTest, ANapMayIgnoreTheDescriptorAndNeverAnUnpark) {
  Parker parker;
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  ASSERT_EQ(::write(fds[1], "x", 1), 1);
  const TimePoint start = Clock::now();
  const TimePoint end = start + milliseconds{20};
  parker.nap(start, {.fd = fds[0], .at = end, .nap_ignores_fd = true});
  EXPECT_GE(Clock::now(), end);
  parker.prepare_to_park();
  parker.unpark();
  parker.nap(Clock::now(), {.at = Clock::now() + seconds{30}, .nap_ignores_fd = true});
  EXPECT_LT(Clock::now(), start + seconds{20});
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(ParkerTest, ADescriptorEndsTheSleep) {
  Parker parker;
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  ASSERT_EQ(::write(fds[1], "x", 1), 1);
  const TimePoint start = Clock::now();
  parker.nap(start, {.fd = fds[0], .at = start + seconds{30}});
  EXPECT_LT(Clock::now() - start, seconds{10});
  ::close(fds[0]);
  ::close(fds[1]);
}

}  // namespace
}  // namespace dualstream::base
