// What does the caller pay for publish()? Beside a bare token enqueue of the same record, and a
// mutex queue.
//
// A consumer takes the events out and releases them at once, so the queue is never full and what is
// measured is the caller's side: check, admission, copy, push, and the wake-up when the consumer
// sleeps.
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/concurrent_queue.h"
#include "base/worker.h"
#include "event/event_queue.h"
#include "publisher/publisher_impl.h"

namespace dualstream {
namespace {

// Takes events out for as long as it lives.
class Drain final : public base::Duty {
 public:
  Drain(event::EventQueue& queue) : queue_(queue), some_(1024) {}

  std::size_t do_work(base::TimePoint) override {
    const std::size_t count = queue_.pop(some_);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
      bytes += some_[i]->block_bytes();
      some_[i].reset();
    }
    if (count > 0) queue_.release(count, bytes);
    return count;
  }
  [[nodiscard]] base::WakeUp wake_up() const override { return {}; }
  [[nodiscard]] bool finished() const override {
    return queue_.closed() && queue_.pending_events() == 0;
  }

 private:
  event::EventQueue& queue_;
  std::vector<event::EventPtr> some_;
};

EventView event_of(std::string_view payload) {
  return {.id = "2489651057",
          .type = "PushEvent",
          .source_type = "repo",
          .source_id = "owner/repository",
          .payload = payload};
}

void count_events(benchmark::State& state, std::uint64_t refused) {
  state.SetItemsProcessed(state.iterations());
  state.counters["refused"] = benchmark::Counter(static_cast<double>(refused));
}

struct Flow {
  Flow() { worker.start("drain", drain, parker) ? void() : std::abort(); }
  ~Flow() {
    queue.close();
    worker.join();
  }

  Options options;
  base::Parker parker;
  event::EventQueue queue{{.events_max = 65'536}, parker};
  Drain drain{queue};
  base::Worker worker;
};
std::unique_ptr<Flow> flow;

void BM_Publish(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  const EventView event = event_of(payload);
  PublisherSlot slot{flow->queue};
  PublisherImpl publisher{slot, flow->queue, flow->worker, flow->options};
  std::uint64_t refused = 0;
  for (auto _ : state) {
    while (publisher.publish(event, {}) != PublishResult::accepted) {
      refused += 1;
      std::this_thread::yield();
    }
  }
  count_events(state, refused);
}
BENCHMARK(BM_Publish)
    ->Arg(64)
    ->Arg(256)
    ->Arg(2048)
    ->ThreadRange(1, 4)
    ->UseRealTime()
    ->Setup([](const benchmark::State&) { flow = std::make_unique<Flow>(); })
    ->Teardown([](const benchmark::State&) { flow.reset(); });

// The same record through the same queue with nothing around it: a copy in one allocation, and a
// push.
struct Bare {
  Bare() : consumer([this] { drain(); }) {}
  ~Bare() {
    stop = true;
    consumer.join();
  }
  void drain() {
    std::vector<event::EventPtr> some(1024);
    while (!stop) {
      const std::size_t count = queue.try_dequeue_bulk(some.data(), some.size());
      for (std::size_t i = 0; i < count; ++i) some[i].reset();
      taken.fetch_add(count, std::memory_order_relaxed);
      if (count == 0) std::this_thread::yield();
    }
  }

  base::ConcurrentQueue<event::EventPtr> queue;
  std::atomic<std::uint64_t> taken{0};

  std::atomic<bool> stop{false};
  std::thread consumer;  // tidy: allow(thread) a rival's consumer, not a worker of the engine
};
std::unique_ptr<Bare> bare;

void BM_BareTokenEnqueue(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  const EventView event = event_of(payload);
  base::ProducerToken token{bare->queue};
  std::uint64_t refused = 0;
  for (auto _ : state) {
    while (bare->queue.size_approx() > 65'536) {
      refused += 1;
      std::this_thread::yield();
    }
    bare->queue.enqueue(token, event::make_event(event));
  }
  count_events(state, refused);
}
BENCHMARK(BM_BareTokenEnqueue)
    ->Arg(64)
    ->Arg(256)
    ->Arg(2048)
    ->ThreadRange(1, 4)
    ->UseRealTime()
    ->Setup([](const benchmark::State&) { bare = std::make_unique<Bare>(); })
    ->Teardown([](const benchmark::State&) { bare.reset(); });

struct Locked {
  Locked() : consumer([this] { drain(); }) {}
  ~Locked() {
    stop = true;
    consumer.join();
  }
  void drain() {
    while (!stop) {
      std::vector<event::EventPtr> some;
      {
        const std::lock_guard lock{mutex};
        some.swap(queue);
      }
      if (some.empty()) std::this_thread::yield();
    }
  }

  std::mutex mutex;
  std::vector<event::EventPtr> queue;
  std::atomic<bool> stop{false};
  std::thread consumer;  // tidy: allow(thread) a rival's consumer, not a worker of the engine
};
std::unique_ptr<Locked> locked;

void BM_MutexQueue(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  const EventView event = event_of(payload);
  std::uint64_t refused = 0;
  for (auto _ : state) {
    event::EventPtr copy = event::make_event(event);
    for (;;) {
      const std::lock_guard lock{locked->mutex};
      if (locked->queue.size() < 65'536) {
        locked->queue.push_back(std::move(copy));
        break;
      }
      refused += 1;
    }
  }
  count_events(state, refused);
}
BENCHMARK(BM_MutexQueue)
    ->Arg(256)
    ->ThreadRange(1, 4)
    ->UseRealTime()
    ->Setup([](const benchmark::State&) { locked = std::make_unique<Locked>(); })
    ->Teardown([](const benchmark::State&) { locked.reset(); });

}  // namespace
}  // namespace dualstream

BENCHMARK_MAIN();
