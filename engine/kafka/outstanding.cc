#include "kafka/outstanding.h"

#include <utility>

#include "base/check.h"

namespace dualstream::kafka {

event::EventList& Outstanding::list_of(std::int32_t partition) {
  const auto index = static_cast<std::size_t>(partition);
  if (index >= lists_.size()) lists_.resize(index + 1);
  return lists_[index];
}

void Outstanding::add(std::int32_t partition, event::EventPtr event) {
  list_of(partition).push_back(std::move(event));
  size_ += 1;
}

void Outstanding::add(std::int32_t partition, event::EventList& events) {
  event::EventList& list = list_of(partition);
  size_ += events.size();
  if (list.empty()) {
    list = std::move(events);  // Which swaps them: no event is touched.
  } else {
    list.splice_back(std::move(events));
  }
}

event::EventPtr Outstanding::take(std::int32_t partition, const event::Event* event) {
  const auto index = static_cast<std::size_t>(partition);
  CHECK(index < lists_.size(), "a report is for a partition that something was handed over to");
  event::EventList& list = lists_[index];
  event::EventList before;
  while (!list.empty() && &list.front() != event) before.push_back(list.pop_front());
  CHECK(!list.empty(), "a report is for an event that was handed over and not reported yet");
  event::EventPtr found = list.pop_front();
  list.splice_front(std::move(before));
  size_ -= 1;
  return found;
}

event::EventList Outstanding::take_all(std::int32_t partition) {
  event::EventList all = std::move(lists_[static_cast<std::size_t>(partition)]);
  size_ -= all.size();
  return all;
}

}  // namespace dualstream::kafka
