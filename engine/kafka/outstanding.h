// Outstanding keeps the events that the Kafka client holds, per partition in the order they were
// handed over, so that each can be found, reported or sent again whatever the client does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "event/event_list.h"

namespace dualstream::kafka {

// Thread: Kafka worker only.
class Outstanding {
 public:
  // `event` was handed over behind all others of the partition. Its bytes stay where they are.
  void add(std::int32_t partition, event::EventPtr event);
  // The same of several, in order. `events` is left empty, with memory for others.
  void add(std::int32_t partition, event::EventList& events);

  // Takes out an event that was reported. Quick when reports come in order, which they nearly
  // always do.
  [[nodiscard]] event::EventPtr take(std::int32_t partition, const event::Event* event);

  // Takes out all of a partition, in order.
  [[nodiscard]] event::EventList take_all(std::int32_t partition);

  [[nodiscard]] std::int32_t partitions() const noexcept {
    return static_cast<std::int32_t>(lists_.size());
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool none_of(std::int32_t partition) const noexcept {
    const auto index = static_cast<std::size_t>(partition);
    return index >= lists_.size() || lists_[index].empty();
  }

 private:
  [[nodiscard]] event::EventList& list_of(std::int32_t partition);

  std::vector<event::EventList> lists_;
  std::size_t size_ = 0;
};

}  // namespace dualstream::kafka
