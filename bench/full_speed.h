// What every case of the engine at full speed does.
#pragma once

#include <chrono>
#include <cstddef>

#include "dualstream/engine.h"
#include "workload.h"

namespace dualstream::bench {

// Publishes all of `workload`, waiting for room, and stops; returns how many events Kafka has
// acknowledged. stop() also waits for the notifications, as a program that ends would.
inline std::size_t publish_all(Engine& engine, const Workload& workload) {
  Publisher publisher = engine.publisher();
  for (std::size_t i = 0; i < workload.size(); ++i) {
    if (publisher.publish(workload.event(i), std::chrono::seconds{60}) != PublishResult::accepted)
      return i;
  }
  static_cast<void>(engine.stop(std::chrono::seconds{60}));
  return static_cast<std::size_t>(engine.stats()[Counter::delivered]);
}

}  // namespace dualstream::bench
