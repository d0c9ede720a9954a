// Introductions keeps track of which partitions know a client: whether their broker has
// acknowledged an event of it.
//
// The first event of a client in a partition goes alone. A hand-over may leave the client as two
// requests under way at once. In a partition that knows nothing of the client's sequence a broker
// takes any first number; if it refuses the first request for a passing reason and takes the
// second, the first one's retry looks like a repeat to it, and is "acknowledged" without an offset
// and without being there. Once one event is acknowledged, the broker refuses the second request
// instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "event/event_list.h"

namespace dualstream::kafka {

// Thread: Kafka worker only.
class Introductions {
 public:
  [[nodiscard]] bool known(std::int32_t partition) const noexcept {
    const auto index = static_cast<std::size_t>(partition);
    return index < partitions_.size() && partitions_[index].known;
  }

  // An event was acknowledged there; or one failed, and nobody knows what the broker remembers.
  void learn(std::int32_t partition) { at(partition).known = true; }
  void doubt(std::int32_t partition) { at(partition).known = false; }
  void doubt_all() noexcept {
    for (Partition& partition : partitions_) partition.known = false;
  }

  // Events that wait behind the one that introduces the client, in order.
  void wait_behind(std::int32_t partition, event::EventList&& events) {
    waiting_ += events.size();
    at(partition).behind.splice_back(std::move(events));
  }
  [[nodiscard]] event::EventList take_waiting(std::int32_t partition) {
    event::EventList all = std::move(at(partition).behind);
    waiting_ -= all.size();
    return all;
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }

  [[nodiscard]] std::int32_t partitions() const noexcept {
    return static_cast<std::int32_t>(partitions_.size());
  }

 private:
  struct Partition {
    bool known = false;
    event::EventList behind;
  };

  [[nodiscard]] Partition& at(std::int32_t partition) {
    const auto index = static_cast<std::size_t>(partition);
    if (index >= partitions_.size()) partitions_.resize(index + 1);
    return partitions_[index];
  }

  std::vector<Partition> partitions_;
  std::size_t waiting_ = 0;
};

}  // namespace dualstream::kafka
