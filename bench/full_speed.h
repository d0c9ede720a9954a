// What every case of the engine at full speed does.
#pragma once

#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "dualstream/engine.h"
#include "workload.h"

namespace dualstream::bench {

// Accepted and not acknowledged, at the most; the same for raw librdkafka. What is on the way has
// to fit into the cache: with the engine's default of 262,144 each event costs half as much again.
inline constexpr std::size_t kOnTheWayMax = 20'000;

// Publishes all of `workload`, waiting for room, from so many threads at once, and stops; returns
// how many events Kafka has acknowledged. stop() also waits for the notifications, as a program
// that ends would.
inline std::size_t publish_all(Engine& engine, const Workload& workload, std::size_t threads = 1) {
  std::vector<std::jthread> others;  // tidy: allow(thread) they are the host program's
  const auto publish_share = [&engine, &workload, threads](std::size_t first) {
    Publisher publisher = engine.publisher();
    for (std::size_t i = first; i < workload.size(); i += threads) {
      if (publisher.publish(workload.event(i), std::chrono::seconds{60}) != PublishResult::accepted)
        return;
    }
  };
  for (std::size_t i = 1; i < threads; ++i) others.emplace_back(publish_share, i);
  publish_share(0);
  others.clear();
  static_cast<void>(engine.stop(std::chrono::seconds{60}));
  return static_cast<std::size_t>(engine.stats()[Counter::delivered]);
}

}  // namespace dualstream::bench
