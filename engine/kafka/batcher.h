// Batcher decides when a lane's events leave for their Kafka client, and how many at once.
//
// A lane is one partition by way of one client (kafka/partitioner.h); with one client, which is
// usual, lanes are partitions.
//
// A batch leaves when nothing of its lane is outstanding and the lane is full, or its oldest event
// has waited `linger`. So batches grow by themselves while Kafka is busy, an idle engine adds no
// delay, and order per lane is plain to see: only one batch of a lane is under way. The client,
// which spins behind an outstanding request when it holds more, never does (docs/architecture.md,
// "Gated batching").
//
//   add() -> [ FIFO of lane 0 ] -> take_ready() -> outstanding -> reported()
//            [ FIFO of lane 1 ]         ^              |
//                                       +- put_back() -+  refused by the client: to the front
//                                       again, in order
//
// Pure: no I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "event/event_list.h"

namespace dualstream::kafka {

// Events of one lane that go in one produce call.
struct Batch {
  std::int32_t lane = -1;
  event::EventList events;
  std::size_t wire_bytes = 0;
};

// Thread: Kafka worker only.
class Batcher {
 public:
  struct Limits {
    std::size_t batch_events_max = 4096;
    std::size_t batch_bytes_max = 1'000'000;
    base::Duration linger{0};
    // Lanes of one connection that may be outstanding at once: Kafka's clients keep five requests
    // in flight to a broker, and a sixth would wait in the client with its latency counted there.
    std::size_t outstanding_per_connection_max = 5;
  };

  // What a record takes on the wire besides key and value: lengths, deltas and attributes of
  // Kafka's record format v2, rounded up.
  static constexpr std::size_t kRecordOverheadBytes = 12;

  explicit Batcher(const Limits& limits) : limits_(limits) {}

  // The connection that each lane takes, -1 for none. The number of lanes only grows.
  void set_connections(std::span<const std::int32_t> connections);
  [[nodiscard]] std::int32_t lanes() const noexcept {
    return static_cast<std::int32_t>(lanes_.size());
  }

  // Takes an event for a lane that exists. Its taken_at is what its linger counts from.
  void add(std::int32_t lane, event::EventPtr event);

  // The next batch that may leave, if any; its lane is outstanding from here on. Fair: lanes
  // take turns.
  [[nodiscard]] std::optional<Batch> take_ready(base::TimePoint now);

  // The client did not take these events of a batch: they go to the front again, and count as
  // reported.
  void put_back(Batch&& rest);

  // No batch is larger than this from now on, and none than Limits::batch_bytes_max; an event that
  // is larger alone goes alone.
  void limit_batches(std::size_t bytes_max) noexcept;

  // Whether the lane's batch under way was a single event.
  [[nodiscard]] bool outstanding_alone(std::int32_t lane) const noexcept;

  // Kafka refused the batch under way for its size, and this is the next of its events: it goes
  // again, in order and before all others, in batches of at most half the size, which
  // grow again when they are taken. reported() has to
  // count it afterwards.
  void send_again_smaller(std::int32_t lane, event::EventPtr event);

  // Gives back the emptied list of a batch, for its memory.
  void recycle(event::EventList&& list) noexcept;

  // Kafka's answer for `count` events of the lane came.
  void reported(std::int32_t lane, std::size_t count);

  // Events that wait here since `before` or longer, oldest first within a lane.
  [[nodiscard]] event::EventList take_expired(base::TimePoint before);

  // Everything that waits here, for a stop.
  [[nodiscard]] event::EventList take_all();

  // When take_ready() may have something that it has not now, without any other call; kNever if
  // only a report can bring it.
  [[nodiscard]] base::TimePoint next_ready_at() const;
  // Whether nothing can be handed over before something is reported, whatever is added.
  [[nodiscard]] bool all_gated() const;

  // Events that wait here.
  [[nodiscard]] std::size_t waiting_events() const noexcept { return waiting_events_; }
  // Events handed over without a report.
  [[nodiscard]] std::size_t outstanding_events() const noexcept { return outstanding_events_; }

 private:
  struct Lane {
    event::EventList fifo;
    std::size_t wire_bytes = 0;
    std::size_t outstanding = 0;
    event::EventList again;  // Of the batch under way, to be sent again when all of it is reported.
    std::size_t batch_events = 0;  // Of the batch under way, or the last one.
    std::size_t batch_bytes = 0;
    std::int32_t connection = -1;
    std::int32_t outstanding_on = -1;  // On whose account the outstanding batch stands.
    bool in_turn = false;              // Whether turns_ holds it.
  };

  [[nodiscard]] bool full(const Lane& lane) const noexcept;
  [[nodiscard]] bool waited_long_enough(const Lane& lane, base::TimePoint now) const noexcept;
  [[nodiscard]] bool busy(std::int32_t connection) const;
  void wait_for_turn(std::int32_t index);
  [[nodiscard]] Batch take_from(std::int32_t index);

  const Limits limits_;
  std::size_t batch_bytes_ceiling_ = limits_.batch_bytes_max;
  // At or, for a while after a refusal, below the ceiling.
  std::size_t batch_bytes_max_ = limits_.batch_bytes_max;
  std::vector<Lane> lanes_;
  // Lanes with events waiting and none outstanding, in the order of their turns.
  std::deque<std::int32_t> turns_;
  // Outstanding lanes by connection.
  std::unordered_map<std::int32_t, std::size_t> outstanding_by_connection_;
  event::EventList spare_;
  std::size_t waiting_events_ = 0;
  std::size_t outstanding_events_ = 0;
};

}  // namespace dualstream::kafka
