#include "event/event_queue.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/events.h"

namespace dualstream::event {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class EventQueueTest : public ::testing::Test {
 protected:
  EventQueue::Admission publish(EventQueue& queue, EventQueue::Producer& producer,
                                std::uint64_t tag) {
    EventPtr event = testing::make_event("source", tag);
    const EventQueue::Admission admission = queue.admit(event->block_bytes());
    if (admission == EventQueue::Admission::admitted) {
      EXPECT_TRUE(queue.push(producer, event));
    }
    return admission;
  }

  std::vector<EventPtr> pop_all(EventQueue& queue) {
    std::vector<EventPtr> all;
    std::array<EventPtr, 16> some;
    while (const std::size_t count = queue.pop(some)) {
      for (std::size_t i = 0; i < count; ++i) all.push_back(std::move(some[i]));
    }
    return all;
  }

  void release(EventQueue& queue, EventPtr event) { queue.release(1, event->block_bytes()); }

  base::Parker parker_;
};

TEST_F(EventQueueTest, KeepsTheOrderOfOneProducer) {
  EventQueue queue{{}, parker_};
  EventQueue::Producer producer{queue};
  for (std::uint64_t tag = 0; tag < 1000; ++tag) publish(queue, producer, tag);
  const auto events = pop_all(queue);
  ASSERT_EQ(events.size(), 1000U);
  for (std::uint64_t tag = 0; tag < 1000; ++tag) EXPECT_EQ(events[tag]->tag(), tag);
}

TEST_F(EventQueueTest, IsFullUntilAnEventHasItsOutcomeNotOnlyUntilItIsTaken) {
  EventQueue queue{{.events_max = 2}, parker_};
  EventQueue::Producer producer{queue};
  EXPECT_EQ(publish(queue, producer, 1), EventQueue::Admission::admitted);
  EXPECT_EQ(publish(queue, producer, 2), EventQueue::Admission::admitted);
  EXPECT_EQ(publish(queue, producer, 3), EventQueue::Admission::full);
  auto events = pop_all(queue);
  EXPECT_EQ(publish(queue, producer, 3), EventQueue::Admission::full);
  EXPECT_EQ(queue.pending_events(), 2U);
  release(queue, std::move(events[0]));
  EXPECT_EQ(publish(queue, producer, 3), EventQueue::Admission::admitted);
}

TEST_F(EventQueueTest, KeepsToItsBoundInBytesExactly) {
  const std::size_t bytes = testing::make_event("source", 1)->block_bytes();
  EventQueue queue{{.bytes_max = 3 * bytes}, parker_};
  EventQueue::Producer producer{queue};
  for (std::uint64_t tag = 1; tag <= 3; ++tag) {
    EXPECT_EQ(publish(queue, producer, tag), EventQueue::Admission::admitted);
  }
  EXPECT_EQ(publish(queue, producer, 4), EventQueue::Admission::full);
  EXPECT_EQ(queue.pending_bytes(), 3 * bytes);
}

TEST_F(EventQueueTest, SaysClosedAfterCloseAndKeepsWhatWasAdmitted) {
  EventQueue queue{{}, parker_};
  EventQueue::Producer producer{queue};
  publish(queue, producer, 1);
  queue.close();
  EXPECT_EQ(publish(queue, producer, 2), EventQueue::Admission::closed);
  EXPECT_TRUE(queue.closed());
  EXPECT_EQ(queue.pending_events(), 1U);
  EXPECT_EQ(pop_all(queue).size(), 1U);
}

TEST_F(EventQueueTest, WaitsForRoomAndGivesUpAtTheDeadline) {
  EventQueue queue{{.events_max = 1}, parker_};
  EventQueue::Producer producer{queue};
  publish(queue, producer, 1);
  const std::size_t bytes = testing::make_event("source", 2)->block_bytes();
  EXPECT_FALSE(queue.wait_for_room(bytes, base::Clock::now() + milliseconds{10}));
  auto events = pop_all(queue);
  std::thread worker{[&] { release(queue, std::move(events[0])); }};
  EXPECT_TRUE(queue.wait_for_room(bytes, base::Clock::now() + seconds{30}));
  worker.join();
}

TEST_F(EventQueueTest, CloseEndsTheWaitForRoom) {
  EventQueue queue{{.events_max = 1}, parker_};
  EventQueue::Producer producer{queue};
  publish(queue, producer, 1);
  std::thread stopper{[&] { queue.close(); }};
  EXPECT_TRUE(queue.wait_for_room(100, base::Clock::now() + seconds{30}));
  stopper.join();
}

// Admission and close() race on one word: what was admitted is there for the worker, what was not
// is refused.
TEST_F(EventQueueTest, LosesNothingWhenItIsClosedInMidLoad) {
  for (int round = 0; round < 200; ++round) {
    EventQueue queue{{.events_max = 64}, parker_};
    std::atomic<std::uint64_t> admitted{0};
    std::vector<std::thread> ingest;
    for (int t = 0; t < 3; ++t) {
      ingest.emplace_back([&] {
        EventQueue::Producer producer{queue};
        for (;;) {
          const EventQueue::Admission admission = publish(queue, producer, 1);
          if (admission == EventQueue::Admission::closed) return;
          if (admission == EventQueue::Admission::admitted) admitted.fetch_add(1);
        }
      });
    }
    std::uint64_t settled = 0;
    std::array<EventPtr, 16> some;
    const auto settle = [&] {
      const std::size_t count = queue.pop(some);
      for (std::size_t i = 0; i < count; ++i) release(queue, std::move(some[i]));
      settled += count;
    };
    while (settled < 100) settle();
    queue.close();
    while (queue.pending_events() > 0) settle();
    for (std::thread& thread : ingest) thread.join();
    ASSERT_EQ(settled, admitted.load());
    ASSERT_EQ(queue.pending_bytes(), 0U);
  }
}

// What the queue does, in a few lines: a list a producer, and two sums.
void compare_with_the_naive_one(base::Parker& parker, std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  const EventQueue::Limits limits{.events_max = 1 + random() % 50,
                                  .bytes_max = 200 + random() % 8'000};
  EventQueue queue{limits, parker};
  std::deque<EventQueue::Producer> producers;
  for (std::uint64_t i = 1 + random() % 4; i > 0; --i) producers.emplace_back(queue);
  std::vector<std::deque<std::uint64_t>> waiting(producers.size());
  std::vector<EventPtr> taken;
  std::size_t events = 0;
  std::size_t bytes = 0;
  std::size_t in_queue = 0;
  bool closed = false;
  for (std::uint64_t step = 0; step < 2'000; ++step) {
    const std::uint64_t action = random() % 100;
    if (action < 50) {
      const std::size_t producer = random() % producers.size();
      EventPtr event =
          testing::make_event("source", step * 4 + producer, std::string(random() % 300, 'p'));
      const std::size_t size = event->block_bytes();
      const bool room = events < limits.events_max && bytes + size <= limits.bytes_max;
      const auto admission = queue.admit(size);
      ASSERT_EQ(admission, closed ? EventQueue::Admission::closed
                           : room ? EventQueue::Admission::admitted
                                  : EventQueue::Admission::full);
      if (admission != EventQueue::Admission::admitted) continue;
      waiting[producer].push_back(event->tag());
      ASSERT_TRUE(queue.push(producers[producer], event));
      events += 1;
      in_queue += 1;
      bytes += size;
    } else if (action < 75) {
      std::array<EventPtr, 8> some;
      const std::size_t most = random() % (some.size() + 1);
      const std::size_t count = queue.pop(std::span{some}.first(most));
      ASSERT_EQ(count, std::min(most, in_queue));
      in_queue -= count;
      for (EventPtr& event : std::span{some}.first(count)) {
        std::deque<std::uint64_t>& own = waiting[event->tag() % 4];
        ASSERT_EQ(event->tag(), own.front()) << "first in, first out for each producer";
        own.pop_front();
        taken.push_back(std::move(event));
      }
    } else if (action < 99 && !taken.empty()) {
      const std::size_t size = taken.back()->block_bytes();
      taken.pop_back();
      queue.release(1, size);
      events -= 1;
      bytes -= size;
    } else if (step > 1'500 && action == 99) {
      queue.close();
      closed = true;
    }
    ASSERT_EQ(queue.pending_events(), events);
    ASSERT_EQ(queue.pending_bytes(), bytes);
    ASSERT_EQ(queue.closed(), closed);
  }
}

TEST_F(EventQueueTest, SettlesWhileAttemptsGoOnThatItRefuses) {
  EventQueue queue{{}, parker_};
  queue.close();
  std::atomic<bool> over{false};
  std::vector<std::thread> late;
  for (int i = 0; i < 4; ++i) {
    late.emplace_back([&] {
      while (!over) EXPECT_EQ(queue.admit(100), EventQueue::Admission::closed);
    });
  }
  for (int round = 0; round < 100; ++round) {
    EXPECT_TRUE(queue.settles_by(base::Clock::now() + seconds{30}));
  }
  over = true;
  for (std::thread& thread : late) thread.join();
}

TEST_F(EventQueueTest, DoesNotSettleWhileSomethingIsHeld) {
  EventQueue queue{{}, parker_};
  EXPECT_EQ(queue.admit(100), EventQueue::Admission::admitted);
  queue.close();
  EXPECT_FALSE(queue.settles_by(base::Clock::now() + milliseconds{5}));
  queue.release(1, 100);
  EXPECT_TRUE(queue.settles_by(base::Clock::now()));
}

TEST_F(EventQueueTest, DoesWhatTheNaiveOneDoesUnderAnyOperations) {
  for (std::uint64_t seed = 1; seed <= 100 && !HasFatalFailure(); ++seed) {
    compare_with_the_naive_one(parker_, seed);
  }
}

}  // namespace
}  // namespace dualstream::event
