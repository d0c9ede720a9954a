// How long does an event take to Kafka and back, and what does it cost, near and at a distance? The
// engine beside raw librdkafka at every linger that anybody would choose.
//
// KAFKA_BROKERS is the broker next door, KAFKA_BROKERS_FAR the one behind a round trip of 10 ms,
// with the topics bench-1 and bench-4 (tools/bench sets all of it up). The figures:
//
//   cores                  processors kept busy by this process
//   p50_ms p99_ms p999_ms  from when an event was due to its acknowledgement, however late it is
//   cpu_ns                 this process' CPU time per event
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "dualstream/engine.h"
#include "environment.h"
#include "full_speed.h"
#include "measure.h"
#include "pace.h"
#include "raw_kafka.h"
#include "workload.h"

namespace dualstream::bench {
namespace {

constexpr double kRate = 10'000;
const std::size_t kPacedEvents = events_of(30'000);
const std::size_t kFullSpeedEvents = events_of(600'000);

enum Distance : std::int64_t { near, far };

std::string brokers_at(std::int64_t distance) {
  return environment(distance == near ? "KAFKA_BROKERS" : "KAFKA_BROKERS_FAR");
}

const Workload& paced_workload() {
  static const Workload made{kPacedEvents};
  return made;
}

const Workload& full_speed_workload() {
  static const Workload made{kFullSpeedEvents};
  return made;
}

void tell(benchmark::State& state, std::vector<double>& latencies) {
  state.counters["p50_ms"] = quantile(latencies, 0.5) * 1e3;
  state.counters["p99_ms"] = quantile(latencies, 0.99) * 1e3;
  state.counters["p999_ms"] = quantile(latencies, 0.999) * 1e3;
}

// Calls back into whatever run is on.
struct Acknowledged {
  std::vector<double> latencies;
  std::unique_ptr<Pace> pace;
};

std::unique_ptr<Engine> open(benchmark::State& state, std::int64_t distance,
                             std::int64_t partitions, std::int64_t linger_ms,
                             Acknowledged* acknowledged, std::int64_t clients = 1) {
  Options options;
  options.kafka.clients = static_cast<std::size_t>(clients);
  options.kafka.brokers = brokers_at(distance);
  options.kafka.topic = "bench-" + std::to_string(partitions);
  options.kafka.required_at_open = true;
  options.kafka.linger = std::chrono::milliseconds{linger_ms};
  options.queue.events_max = kOnTheWayMax;
  if (acknowledged != nullptr) {
    options.on_outcomes = [acknowledged](std::span<const Outcome> outcomes) {
      if (acknowledged->pace == nullptr) return;
      for (const Outcome& outcome : outcomes) {
        acknowledged->latencies.push_back(acknowledged->pace->late_seconds(outcome.tag));
      }
    };
  }
  std::unique_ptr<Engine> engine;
  if (const Status status = Engine::open(options, engine); !status.ok()) {
    state.SkipWithError(status.message.c_str());
  }
  return engine;
}

// Each client has introduced itself to the broker before it is measured.
void BM_RawPaced(benchmark::State& state) {
  RawKafka raw{brokers_at(state.range(0)), "bench-" + std::to_string(state.range(1)),
               static_cast<int>(state.range(2))};
  raw.publish(Workload{1'000});
  std::vector<double> latencies;
  measure(state, paced_workload().size(),
          [&] { return raw.publish_paced(paced_workload(), kRate, latencies); });
  tell(state, latencies);
}

void BM_EnginePaced(benchmark::State& state) {
  Acknowledged acknowledged;
  const std::unique_ptr<Engine> engine =
      open(state, state.range(0), state.range(1), state.range(2), &acknowledged);
  if (!engine) return;
  Publisher publisher = engine->publisher();
  const Workload first{1'000};
  for (std::size_t i = 0; i < first.size(); ++i)
    static_cast<void>(publisher.publish(first.event(i)));
  while (engine->stats()[Counter::pending] > 0) std::this_thread::yield();
  const std::uint64_t before = engine->stats()[Counter::delivered];
  measure(state, paced_workload().size(), [&] {
    acknowledged.pace = std::make_unique<Pace>(kRate);
    for (std::size_t i = 0; i < paced_workload().size();) {
      const std::size_t due = std::min(paced_workload().size(), acknowledged.pace->due_events());
      for (; i < due; ++i) static_cast<void>(publisher.publish(paced_workload().event(i)));
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    static_cast<void>(engine->stop(std::chrono::seconds{60}));
    return static_cast<std::size_t>(engine->stats()[Counter::delivered] - before);
  });
  tell(state, acknowledged.latencies);
}

void BM_RawFullSpeed(benchmark::State& state) {
  RawKafka raw{brokers_at(state.range(0)), "bench-" + std::to_string(state.range(1)),
               static_cast<int>(state.range(2))};
  raw.publish(Workload{1'000});
  measure(state, full_speed_workload().size(), [&] { return raw.publish(full_speed_workload()); });
}

void run_full_speed(benchmark::State& state, const std::unique_ptr<Engine>& engine) {
  if (!engine) return;
  measure(state, full_speed_workload().size(),
          [&] { return publish_all(*engine, full_speed_workload()); });
}

void BM_EngineFullSpeed(benchmark::State& state) {
  run_full_speed(state, open(state, state.range(0), state.range(1), state.range(2), nullptr));
}

// Sources shared out among clients, of which each sends a partition one batch per round trip.
void BM_EngineClients(benchmark::State& state) {
  run_full_speed(state, open(state, far, state.range(0), 5, nullptr, state.range(1)));
}

void once(benchmark::internal::Benchmark* benchmark) {
  benchmark->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
}

// Arguments: distance, partitions, linger in ms.
BENCHMARK(BM_RawPaced)
    ->Args({near, 4, 0})
    ->Args({near, 4, 1})
    ->Args({near, 4, 5})
    ->Args({far, 4, 5})
    ->Apply(once);
BENCHMARK(BM_EnginePaced)->Args({near, 4, 0})->Args({near, 4, 5})->Args({far, 4, 5})->Apply(once);
BENCHMARK(BM_RawFullSpeed)->Args({far, 1, 5})->Args({far, 4, 5})->Apply(once);
BENCHMARK(BM_EngineFullSpeed)->Args({far, 1, 5})->Args({far, 4, 5})->Apply(once);
// Arguments: partitions, clients.
BENCHMARK(BM_EngineClients)->ArgsProduct({{1, 4}, {1, 2, 4}})->Apply(once);

}  // namespace
}  // namespace dualstream::bench

int main(int argc, char** argv) {
  using namespace dualstream::bench;  // tidy: allow(using_namespace) main() stands outside of it
  return run(argc, argv, {"KAFKA_BROKERS", "KAFKA_BROKERS_FAR"}, [] {
    for (const Distance distance : {near, far}) {
      const std::string brokers = brokers_at(distance);
      make_topic(brokers, "bench-1", 1);
      make_topic(brokers, "bench-4", 4);
      RawKafka{brokers, "bench-4", 1}.publish(Workload{100'000});
    }
  });
}
