// How many events a second does Kafka acknowledge, and what does each cost? The engine beside raw
// librdkafka, and beside the same two streams as others write them, on real servers.
//
// KAFKA_BROKERS and REDIS_ADDRESS say where the servers are (tools/bench sets them). A repetition
// publishes the workload once and ends when Kafka has acknowledged all of it and, where there are
// notifications, Redis has answered them; repetitions of the cases are interleaved, and only ratios
// between cases of one run mean anything on a shared machine. The figures:
//
//   items_per_second  acknowledged events per second of wall time
//   cpu_ns            this process' CPU time per event, the servers' not counted: the steadier one
//   redis_cpu_ns      redis-server's CPU time per event
//   notified          share of the events whose PUBLISH Redis has answered when the engine stopped
//   per_frame         events per PUBLISH
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "dualstream/engine.h"
#include "environment.h"
#include "full_speed.h"
#include "measure.h"
#include "pasted.h"
#include "raw_kafka.h"
#include "redis_info.h"
#include "workload.h"

namespace dualstream::bench {
namespace {

const std::size_t kEvents = events_of(1'000'000);
constexpr int kPartitions = 4;
// For every case: this is about throughput.
constexpr int kLingerMs = 5;

const Workload& workload() {
  static const Workload made{kEvents};
  return made;
}

// measure(), and what redis-server used meanwhile.
template <typename Publish>
void measure_both(benchmark::State& state, std::size_t events, const Publish& publish) {
  const double redis_cpu_start = redis_cpu_seconds(environment("REDIS_ADDRESS"));
  measure(state, events, publish);
  state.counters["redis_cpu_ns"] =
      (redis_cpu_seconds(environment("REDIS_ADDRESS")) - redis_cpu_start) * 1e9 /
      static_cast<double>(events);
}

void BM_RawProduceBatch(benchmark::State& state) {
  RawKafka raw{environment("KAFKA_BROKERS"), "bench", kLingerMs};
  measure_both(state, kEvents, [&raw] { return raw.publish(workload()); });
}

void run_pasted(benchmark::State& state, Style style, std::size_t events) {
  Pasted pasted{environment("KAFKA_BROKERS"), "bench", environment("REDIS_ADDRESS"), style,
                kLingerMs};
  measure_both(state, events, [&pasted, events] { return pasted.publish(workload(), events); });
}

void BM_OneByOne(benchmark::State& state) {
  run_pasted(state, Style::one_by_one, std::min<std::size_t>(kEvents, 500));
}
void BM_AsPasted(benchmark::State& state) {
  run_pasted(state, Style::as_pasted, std::min<std::size_t>(kEvents, 30'000));
}
void BM_ModernPractice(benchmark::State& state) {
  run_pasted(state, Style::modern, std::min<std::size_t>(kEvents, 300'000));
}

void run_engine(benchmark::State& state, const std::string& redis, Options options = {}) {
  options.kafka.brokers = environment("KAFKA_BROKERS");
  options.kafka.topic = "bench";
  options.redis.address = redis;
  options.kafka.required_at_open = true;
  options.kafka.linger = std::chrono::milliseconds{kLingerMs};
  std::unique_ptr<Engine> engine;
  if (const Status status = Engine::open(options, engine); !status.ok()) {
    state.SkipWithError(status.message.c_str());
    return;
  }
  measure_both(state, kEvents, [&engine] { return publish_all(*engine, workload()); });
  const Stats stats = engine->stats();
  if (!redis.empty()) {
    state.counters["notified"] = static_cast<double>(stats[Counter::notified]) /
                                 static_cast<double>(stats[Counter::announced]);
    state.counters["per_frame"] =
        static_cast<double>(stats[Counter::notified]) / static_cast<double>(stats[Counter::frames]);
  }
}

Options as_much_on_the_way_as_the_rivals() {
  Options options;
  options.queue.events_max = kOnTheWayMax;
  return options;
}

void BM_EngineKafkaOnly(benchmark::State& state) {
  run_engine(state, {}, as_much_on_the_way_as_the_rivals());
}
void BM_EngineDual(benchmark::State& state) {
  run_engine(state, environment("REDIS_ADDRESS"), as_much_on_the_way_as_the_rivals());
}
void BM_EngineDualDefaults(benchmark::State& state) {
  run_engine(state, environment("REDIS_ADDRESS"));
}
// What somebody sets who has many dashboards and little Redis.
void BM_EngineDualLingering(benchmark::State& state) {
  Options options = as_much_on_the_way_as_the_rivals();
  options.redis.linger = std::chrono::milliseconds{20};
  run_engine(state, environment("REDIS_ADDRESS"), options);
}
void BM_EngineDualOnePerPublish(benchmark::State& state) {
  Options options = as_much_on_the_way_as_the_rivals();
  options.redis.frame_events_max = 1;
  run_engine(state, environment("REDIS_ADDRESS"), options);
}

// One pass over the workload a repetition: connections and producer ids are set up outside of it.
BENCHMARK(BM_RawProduceBatch)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_EngineKafkaOnly)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_EngineDual)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_EngineDualDefaults)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_EngineDualLingering)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_EngineDualOnePerPublish)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ModernPractice)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_AsPasted)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_OneByOne)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dualstream::bench

int main(int argc, char** argv) {
  using namespace dualstream::bench;  // tidy: allow(using_namespace) main() stands outside of it
  return run(argc, argv, {"KAFKA_BROKERS", "REDIS_ADDRESS"}, [] {
    make_topic(environment("KAFKA_BROKERS"), "bench", kPartitions);
    // The first run of a broker and of a page cache is slower than all others; nobody measures it.
    RawKafka{environment("KAFKA_BROKERS"), "bench", kLingerMs}.publish(workload());
  });
}
