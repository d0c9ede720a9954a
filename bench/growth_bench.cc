// Does the rate hold when the topic, the sources, the ingest threads or the events grow? Both
// streams at full speed on real servers, beside raw librdkafka with the same topic and bytes.
//
// KAFKA_BROKERS and REDIS_ADDRESS say where the servers are (tools/bench sets them).
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <benchmark/benchmark.h>

#include "dualstream/engine.h"
#include "environment.h"
#include "full_speed.h"
#include "measure.h"
#include "raw_kafka.h"
#include "workload.h"

namespace dualstream::bench {
namespace {

constexpr int kLingerMs = 5;
constexpr std::size_t kEventsUsual = 300'000;
// Large events are fewer, so that a case does not write more than this.
constexpr std::size_t kBytesUsual = 192 * 1024 * 1024;

struct Load {
  int partitions = 4;
  std::size_t sources = 1'000;
  std::size_t threads = 1;
  std::size_t payload_bytes = 256;
};

const Workload& workload_of(const Load& load) {
  static std::map<std::pair<std::size_t, std::size_t>, Workload> made;
  const std::size_t events = events_of(std::min(kEventsUsual, kBytesUsual / load.payload_bytes));
  return made
      .try_emplace({load.sources, load.payload_bytes}, events, load.payload_bytes, load.sources)
      .first->second;
}

std::string topic_of(const Load& load) {
  std::string topic = "growth-" + std::to_string(load.partitions);
  make_topic(environment("KAFKA_BROKERS"), topic, load.partitions);
  return topic;
}

void run_raw(benchmark::State& state, const Load& load) {
  const Workload& workload = workload_of(load);
  RawKafka raw{environment("KAFKA_BROKERS"), topic_of(load), kLingerMs};
  measure(state, workload.size(), [&] { return raw.publish(workload); });
}

void run_engine(benchmark::State& state, const Load& load) {
  const Workload& workload = workload_of(load);
  Options options;
  options.kafka.brokers = environment("KAFKA_BROKERS");
  options.kafka.topic = topic_of(load);
  options.kafka.required_at_open = true;
  options.kafka.linger = std::chrono::milliseconds{kLingerMs};
  options.redis.address = environment("REDIS_ADDRESS");
  options.queue.events_max = kOnTheWayMax;
  std::unique_ptr<Engine> engine;
  if (const Status status = Engine::open(options, engine); !status.ok()) {
    state.SkipWithError(status.message.c_str());
    return;
  }
  measure(state, workload.size(), [&] { return publish_all(*engine, workload, load.threads); });
}

Load by_partitions(const benchmark::State& state) {
  return {.partitions = static_cast<int>(state.range(0))};
}
Load by_sources(const benchmark::State& state) {
  return {.sources = static_cast<std::size_t>(state.range(0))};
}
Load by_threads(const benchmark::State& state) {
  return {.threads = static_cast<std::size_t>(state.range(0))};
}
Load by_bytes(const benchmark::State& state) {
  return {.payload_bytes = static_cast<std::size_t>(state.range(0))};
}

void BM_RawByPartitions(benchmark::State& state) { run_raw(state, by_partitions(state)); }
void BM_EngineByPartitions(benchmark::State& state) { run_engine(state, by_partitions(state)); }
void BM_RawBySources(benchmark::State& state) { run_raw(state, by_sources(state)); }
void BM_EngineBySources(benchmark::State& state) { run_engine(state, by_sources(state)); }
void BM_EngineByThreads(benchmark::State& state) { run_engine(state, by_threads(state)); }
void BM_RawByBytes(benchmark::State& state) { run_raw(state, by_bytes(state)); }
void BM_EngineByBytes(benchmark::State& state) { run_engine(state, by_bytes(state)); }

using Case = benchmark::internal::Benchmark;
void once(Case* it) { it->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond); }
void partitions(Case* it) { once(it->Arg(1)->Arg(4)->Arg(16)->Arg(64)); }
void sources(Case* it) { once(it->Arg(10)->Arg(1'000)->Arg(100'000)->Arg(1'000'000)); }
void threads(Case* it) { once(it->Arg(1)->Arg(2)->Arg(4)->Arg(8)); }
void bytes(Case* it) {
  once(it->Arg(64)->Arg(256)->Arg(1'024)->Arg(4'096)->Arg(16'384)->Arg(65'536));
}

BENCHMARK(BM_RawByPartitions)->Apply(partitions);
BENCHMARK(BM_EngineByPartitions)->Apply(partitions);
BENCHMARK(BM_RawBySources)->Apply(sources);
BENCHMARK(BM_EngineBySources)->Apply(sources);
BENCHMARK(BM_EngineByThreads)->Apply(threads);
BENCHMARK(BM_RawByBytes)->Apply(bytes);
BENCHMARK(BM_EngineByBytes)->Apply(bytes);

}  // namespace
}  // namespace dualstream::bench

int main(int argc, char** argv) {
  using namespace dualstream::bench;  // tidy: allow(using_namespace) main() stands outside of it
  return run(argc, argv, {"KAFKA_BROKERS", "REDIS_ADDRESS"}, [] {
    // A broker's first run is slower than all others; nobody measures it.
    const Load usual;
    RawKafka{environment("KAFKA_BROKERS"), topic_of(usual), kLingerMs}.publish(workload_of(usual));
  });
}
