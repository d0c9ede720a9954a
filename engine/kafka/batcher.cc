#include "kafka/batcher.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace dualstream::kafka {
namespace {

std::size_t wire_bytes(const event::Event& event) noexcept {
  return event.record_bytes() + Batcher::kRecordOverheadBytes;
}

// After a refusal for their size batches grow again by this part of it with each one that is not
// refused.
constexpr std::size_t kGrowth = 16;

}  // namespace

void Batcher::set_leaders(std::span<const std::int32_t> leaders) {
  if (leaders.size() > partitions_.size()) partitions_.resize(leaders.size());
  for (std::size_t i = 0; i < leaders.size(); ++i) partitions_[i].leader = leaders[i];
}

void Batcher::add(std::int32_t partition, event::EventPtr event) {
  Partition& to = partitions_[static_cast<std::size_t>(partition)];
  to.wire_bytes += wire_bytes(*event);
  to.fifo.push_back(std::move(event));
  waiting_events_ += 1;
  wait_for_turn(partition);
}

std::optional<Batch> Batcher::take_ready(base::TimePoint now) {
  for (std::size_t turn = turns_.size(); turn > 0; --turn) {
    const std::int32_t index = turns_.front();
    turns_.pop_front();
    const Partition& partition = partitions_[static_cast<std::size_t>(index)];
    const bool ready = full(partition) || waited_long_enough(partition, now);
    if (ready && !broker_busy(partition.leader)) return take_from(index);
    turns_.push_back(index);
  }
  return std::nullopt;
}

void Batcher::put_back(Batch&& rest) {
  Partition& partition = partitions_[static_cast<std::size_t>(rest.partition)];
  const std::size_t count = rest.events.size();
  for (std::size_t i = 0; i < count; ++i) partition.wire_bytes += wire_bytes(rest.events[i]);
  partition.fifo.splice_front(std::move(rest.events));
  waiting_events_ += count;
  reported(rest.partition, count);
}

void Batcher::limit_batches(std::size_t bytes_max) noexcept {
  batch_bytes_ceiling_ = std::clamp<std::size_t>(bytes_max, 1, limits_.batch_bytes_max);
  batch_bytes_max_ = batch_bytes_ceiling_;
}

bool Batcher::outstanding_alone(std::int32_t partition) const noexcept {
  return partitions_[static_cast<std::size_t>(partition)].batch_events == 1;
}

void Batcher::send_again_smaller(std::int32_t index, event::EventPtr event) {
  Partition& partition = partitions_[static_cast<std::size_t>(index)];
  if (partition.again.empty()) {
    batch_bytes_max_ = std::clamp<std::size_t>(partition.batch_bytes / 2, 1, batch_bytes_max_);
  }
  partition.wire_bytes += wire_bytes(*event);
  partition.again.push_back(std::move(event));
  waiting_events_ += 1;
}

void Batcher::recycle(event::EventList&& list) noexcept {
  if (list.empty()) spare_ = std::move(list);
}

void Batcher::reported(std::int32_t index, std::size_t count) {
  Partition& partition = partitions_[static_cast<std::size_t>(index)];
  CHECK(count <= partition.outstanding, "no event is reported twice");
  partition.outstanding -= count;
  outstanding_events_ -= count;
  if (partition.outstanding > 0 || count == 0) return;
  const auto account = outstanding_by_broker_.find(partition.outstanding_at);
  account->second -= 1;
  if (account->second == 0) outstanding_by_broker_.erase(account);
  if (partition.again.empty() && batch_bytes_max_ < batch_bytes_ceiling_) {
    batch_bytes_max_ =
        std::min(batch_bytes_ceiling_, batch_bytes_max_ + batch_bytes_max_ / kGrowth + 1);
  }
  partition.fifo.splice_front(std::move(partition.again));
  if (!partition.fifo.empty()) wait_for_turn(index);
}

event::EventList Batcher::take_expired(base::TimePoint before) {
  event::EventList expired;
  for (Partition& partition : partitions_) {
    for (event::EventList* list : {&partition.again, &partition.fifo}) {
      while (!list->empty() && list->front().taken_at <= before) {
        event::EventPtr event = list->pop_front();
        partition.wire_bytes -= wire_bytes(*event);
        waiting_events_ -= 1;
        expired.push_back(std::move(event));
      }
    }
  }
  std::erase_if(turns_, [this](std::int32_t index) {
    Partition& partition = partitions_[static_cast<std::size_t>(index)];
    if (!partition.fifo.empty()) return false;
    partition.in_turn = false;
    return true;
  });
  return expired;
}

event::EventList Batcher::take_all() { return take_expired(base::TimePoint::max()); }

base::TimePoint Batcher::next_ready_at() const {
  base::TimePoint next = base::kNever;
  for (const std::int32_t index : turns_) {
    const Partition& partition = partitions_[static_cast<std::size_t>(index)];
    if (broker_busy(partition.leader)) continue;
    next = std::min(next, partition.fifo.front().taken_at + limits_.linger);
  }
  return next;
}

bool Batcher::full(const Partition& partition) const noexcept {
  return partition.fifo.size() >= limits_.batch_events_max ||
         partition.wire_bytes >= batch_bytes_max_;
}

bool Batcher::waited_long_enough(const Partition& partition, base::TimePoint now) const noexcept {
  return now - partition.fifo.front().taken_at >= limits_.linger;
}

bool Batcher::broker_busy(std::int32_t broker) const {
  const auto account = outstanding_by_broker_.find(broker);
  return account != outstanding_by_broker_.end() &&
         account->second >= limits_.outstanding_per_broker_max;
}

void Batcher::wait_for_turn(std::int32_t index) {
  Partition& partition = partitions_[static_cast<std::size_t>(index)];
  if (partition.in_turn || partition.outstanding > 0) return;
  partition.in_turn = true;
  turns_.push_back(index);
}

Batch Batcher::take_from(std::int32_t index) {
  Partition& partition = partitions_[static_cast<std::size_t>(index)];
  partition.in_turn = false;
  Batch batch{.partition = index, .events = std::move(spare_), .wire_bytes = 0};
  // The first goes even if it alone is over the bound: alone is the smallest that it can go.
  batch.wire_bytes = batch.events.take_front(partition.fifo, limits_.batch_events_max,
                                             batch_bytes_max_, kRecordOverheadBytes);
  partition.wire_bytes -= batch.wire_bytes;
  partition.outstanding = batch.events.size();
  partition.batch_events = batch.events.size();
  partition.batch_bytes = batch.wire_bytes;
  partition.outstanding_at = partition.leader;
  outstanding_by_broker_[partition.leader] += 1;
  waiting_events_ -= batch.events.size();
  outstanding_events_ += batch.events.size();
  return batch;
}

}  // namespace dualstream::kafka
