// What every benchmark on real servers measures, and how it starts.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>

#include <benchmark/benchmark.h>

#include "environment.h"
#include "workload.h"

namespace dualstream::bench {

// `publish` publishes `events` once, and returns how many of them Kafka has acknowledged. The
// figures:
//
//   cpu_ns  this process' CPU time per event
//   cores   processors that it kept busy
template <typename Publish>
void measure(benchmark::State& state, std::size_t events, const Publish& publish) {
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    const double cpu_start = process_cpu_seconds();
    const std::size_t acknowledged = publish();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    const double cpu = process_cpu_seconds() - cpu_start;
    state.SetIterationTime(wall.count());
    if (acknowledged != events) state.SkipWithError("not every event was acknowledged");
    state.counters["cpu_ns"] = cpu * 1e9 / static_cast<double>(events);
    state.counters["cores"] = cpu / wall.count();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(events) * state.iterations());
}

// The main() of a benchmark that finds its servers in the environment: it needs these `variables`,
// and `prepare` makes topics and warms the servers up.
template <typename Prepare>
int run(int argc, char** argv, std::initializer_list<const char*> variables,
        const Prepare& prepare) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const char* variable : variables) {
    if (!environment(variable).empty()) continue;
    std::fprintf(stderr, "%s: set %s, or run tools/bench\n", argv[0], variable);
    return 2;
  }
  prepare();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace dualstream::bench
