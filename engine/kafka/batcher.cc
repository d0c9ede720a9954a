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

void Batcher::set_connections(std::span<const std::int32_t> connections) {
  if (connections.size() > lanes_.size()) lanes_.resize(connections.size());
  for (std::size_t i = 0; i < connections.size(); ++i) lanes_[i].connection = connections[i];
}

void Batcher::add(std::int32_t lane, event::EventPtr event) {
  Lane& to = lanes_[static_cast<std::size_t>(lane)];
  to.wire_bytes += wire_bytes(*event);
  to.fifo.push_back(std::move(event));
  waiting_events_ += 1;
  wait_for_turn(lane);
}

std::optional<Batch> Batcher::take_ready(base::TimePoint now) {
  for (std::size_t turn = turns_.size(); turn > 0; --turn) {
    const std::int32_t index = turns_.front();
    turns_.pop_front();
    const Lane& lane = lanes_[static_cast<std::size_t>(index)];
    const bool ready = full(lane) || waited_long_enough(lane, now);
    if (ready && !busy(lane.connection)) return take_from(index);
    turns_.push_back(index);
  }
  return std::nullopt;
}

void Batcher::put_back(Batch&& rest) {
  Lane& lane = lanes_[static_cast<std::size_t>(rest.lane)];
  const std::size_t count = rest.events.size();
  for (std::size_t i = 0; i < count; ++i) lane.wire_bytes += wire_bytes(rest.events[i]);
  lane.fifo.splice_front(std::move(rest.events));
  waiting_events_ += count;
  reported(rest.lane, count);
}

void Batcher::limit_batches(std::size_t bytes_max) noexcept {
  batch_bytes_ceiling_ = std::clamp<std::size_t>(bytes_max, 1, limits_.batch_bytes_max);
  batch_bytes_max_ = batch_bytes_ceiling_;
}

bool Batcher::outstanding_alone(std::int32_t lane) const noexcept {
  return lanes_[static_cast<std::size_t>(lane)].batch_events == 1;
}

void Batcher::send_again_smaller(std::int32_t index, event::EventPtr event) {
  Lane& lane = lanes_[static_cast<std::size_t>(index)];
  if (lane.again.empty()) {
    batch_bytes_max_ = std::clamp<std::size_t>(lane.batch_bytes / 2, 1, batch_bytes_max_);
  }
  lane.wire_bytes += wire_bytes(*event);
  lane.again.push_back(std::move(event));
  waiting_events_ += 1;
}

void Batcher::recycle(event::EventList&& list) noexcept {
  if (list.empty()) spare_ = std::move(list);
}

void Batcher::reported(std::int32_t index, std::size_t count) {
  Lane& lane = lanes_[static_cast<std::size_t>(index)];
  CHECK(count <= lane.outstanding, "no event is reported twice");
  lane.outstanding -= count;
  outstanding_events_ -= count;
  if (lane.outstanding > 0 || count == 0) return;
  const auto account = outstanding_by_connection_.find(lane.outstanding_on);
  account->second -= 1;
  if (account->second == 0) outstanding_by_connection_.erase(account);
  if (lane.again.empty() && batch_bytes_max_ < batch_bytes_ceiling_) {
    batch_bytes_max_ =
        std::min(batch_bytes_ceiling_, batch_bytes_max_ + batch_bytes_max_ / kGrowth + 1);
  }
  lane.fifo.splice_front(std::move(lane.again));
  if (!lane.fifo.empty()) wait_for_turn(index);
}

event::EventList Batcher::take_expired(base::TimePoint before) {
  event::EventList expired;
  for (Lane& lane : lanes_) {
    for (event::EventList* list : {&lane.again, &lane.fifo}) {
      while (!list->empty() && list->front().taken_at <= before) {
        event::EventPtr event = list->pop_front();
        lane.wire_bytes -= wire_bytes(*event);
        waiting_events_ -= 1;
        expired.push_back(std::move(event));
      }
    }
  }
  std::erase_if(turns_, [this](std::int32_t index) {
    Lane& lane = lanes_[static_cast<std::size_t>(index)];
    if (!lane.fifo.empty()) return false;
    lane.in_turn = false;
    return true;
  });
  return expired;
}

event::EventList Batcher::take_all() { return take_expired(base::TimePoint::max()); }

base::TimePoint Batcher::next_ready_at() const {
  base::TimePoint next = base::kNever;
  for (const std::int32_t index : turns_) {
    const Lane& lane = lanes_[static_cast<std::size_t>(index)];
    if (busy(lane.connection)) continue;
    next = std::min(next, lane.fifo.front().taken_at + limits_.linger);
  }
  return next;
}

bool Batcher::all_gated() const {
  return !lanes_.empty() && std::ranges::all_of(lanes_, [this](const Lane& lane) {
    return lane.outstanding > 0 || busy(lane.connection);
  });
}

bool Batcher::full(const Lane& lane) const noexcept {
  return lane.fifo.size() >= limits_.batch_events_max || lane.wire_bytes >= batch_bytes_max_;
}

bool Batcher::waited_long_enough(const Lane& lane, base::TimePoint now) const noexcept {
  return now - lane.fifo.front().taken_at >= limits_.linger;
}

bool Batcher::busy(std::int32_t connection) const {
  const auto account = outstanding_by_connection_.find(connection);
  return account != outstanding_by_connection_.end() &&
         account->second >= limits_.outstanding_per_connection_max;
}

void Batcher::wait_for_turn(std::int32_t index) {
  Lane& lane = lanes_[static_cast<std::size_t>(index)];
  if (lane.in_turn || lane.outstanding > 0) return;
  lane.in_turn = true;
  turns_.push_back(index);
}

Batch Batcher::take_from(std::int32_t index) {
  Lane& lane = lanes_[static_cast<std::size_t>(index)];
  lane.in_turn = false;
  Batch batch{.lane = index, .events = std::move(spare_), .wire_bytes = 0};
  // The first goes even if it alone is over the bound: alone is the smallest that it can go.
  batch.wire_bytes = batch.events.take_front(lane.fifo, limits_.batch_events_max, batch_bytes_max_,
                                             kRecordOverheadBytes);
  lane.wire_bytes -= batch.wire_bytes;
  lane.outstanding = batch.events.size();
  lane.batch_events = batch.events.size();
  lane.batch_bytes = batch.wire_bytes;
  lane.outstanding_on = lane.connection;
  outstanding_by_connection_[lane.connection] += 1;
  waiting_events_ -= batch.events.size();
  outstanding_events_ += batch.events.size();
  return batch;
}

}  // namespace dualstream::kafka
