// Reader is the worker's side of one subscription: it joins, merges each partition, and sees to it
// that every update has its payload before it goes to the queue.
//
//   waiting --(topics confirmed, or Redis away)--> asking --(bounds)--> finding --> running
//   live events are kept meanwhile                                      (where to begin: a time,
//   the
//                                                                        last N)
//
//   live  ---+--> PartitionMerge --> staged --(payload is here)--> UpdateQueue
//   Kafka ---'
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kafka/kafka_reader.h"
#include "redis/frame_reader.h"
#include "subscriber/last_events.h"
#include "subscriber/partition_merge.h"
#include "subscriber/payload_cache.h"
#include "subscriber/record_decoder.h"
#include "subscriber/subscription_impl.h"

namespace dualstream::subscriber {

// Ends of partitions, by partition.
using Offsets = std::map<std::int32_t, std::int64_t>;
using Bounds = std::vector<kafka::PartitionBounds>;

// Thread:   the subscriber's worker.
// Lifetime: cache and decoder outlive it.
class Reader {
 public:
  enum class Phase : std::uint8_t { waiting, asking, finding, running };

  Reader(std::uint64_t id, std::shared_ptr<SubscriptionImpl> shared, std::size_t sources_max,
         PayloadCache& cache, RecordDecoder& decoder);

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] SubscriptionImpl& shared() const noexcept { return *shared_; }
  [[nodiscard]] const Selection& selection() const noexcept { return shared_->selection; }
  [[nodiscard]] Phase phase() const noexcept { return phase_; }

  // ---- Live

  // A frame that `topic` brought.
  void take_frame(const redis::Topic& topic, const std::string& source_type,
                  std::vector<redis::Told> told, std::uint64_t missed);
  void count_not_understood() noexcept { not_understood_ += 1; }

  // The connection broke: what lies behind `trusted` may have been missed. Where nothing is
  // trusted, all since the reader's beginning.
  void note_break(const Offsets& trusted);

  // ---- Where Kafka stands

  // The first question for bounds whose answer is of use; 0 when none is wanted.
  [[nodiscard]] std::uint64_t bounds_wanted() const noexcept { return bounds_wanted_; }
  void want_bounds(std::uint64_t ticket) noexcept { bounds_wanted_ = ticket; }
  // Whether a look is owed, for a break or for missed notifications.
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  [[nodiscard]] bool missed() const noexcept { return missed_; }
  // Listens, or does without: begins to join.
  void begin(std::uint64_t ticket) noexcept;

  // The question goes out now: what comes after it is not in its answer.
  void note_asked();
  // Whether more was handed on before the question than Kafka has.
  [[nodiscard]] bool is_ahead_of(const Bounds& bounds) const noexcept;
  // `listening`: every topic was confirmed before the question was asked.
  void take_bounds(const Bounds& bounds, bool listening, const Offsets& trusted);

  // The topic was made anew, and this is where it stands: says so, and goes on with what it holds.
  void begin_anew(const Bounds& bounds);
  // Whether a notification has told of another event at an offset than before, since the last call.
  [[nodiscard]] bool take_doubt() noexcept;

  // ---- Finding where to begin

  // A partition and a time to ask for.
  [[nodiscard]] std::vector<std::int32_t> times_wanted();
  void take_time(std::int32_t partition, std::optional<std::int64_t> offset);
  // A stretch to be read for this reader alone, one at a time.
  [[nodiscard]] std::optional<kafka::ReadRequest> scan_wanted();
  // Nothing: it could not be read.
  void take_scan(const kafka::ReadRequest& request, const kafka::ReadAnswer* answer);

  // ---- History and payloads, when it is running

  [[nodiscard]] std::optional<OffsetRange> history_wanted(std::int32_t partition);
  [[nodiscard]] std::optional<OffsetRange> payload_wanted(std::int32_t partition) const;
  void take_read(std::int32_t partition, std::int64_t from, const kafka::ReadAnswer& answer);
  [[nodiscard]] std::vector<std::int32_t> partitions() const;

  // Looks at the queue: slow readers wait. Then whatever may goes out.
  void look_at_queue();
  void mark() noexcept;
  void publish_stats();

 private:
  struct Staged {
    Update update;
    bool waits_for_payload = false;
  };
  struct Stream {
    PartitionMerge merge;
    std::int64_t newest_when_asked = -1;
    std::deque<Staged> staged;
  };

  void begin_at(const Bounds& bounds);
  [[nodiscard]] bool wants_partition(std::int32_t partition) const;
  void start(std::int32_t partition, OffsetRange join, const std::vector<std::string>& named);
  void start_all();
  void found_all();
  Stream& stream_of(std::int32_t partition);
  void beware();
  void give(std::int32_t partition, LiveEvent&& event);
  void emit(Stream& stream, std::vector<Update>&& updates);
  void drain(Stream& stream);
  [[nodiscard]] bool select(Update& update) const;
  [[nodiscard]] std::vector<Update> selected(std::int32_t partition, std::int64_t from,
                                             const kafka::ReadAnswer& answer) const;
  [[nodiscard]] std::vector<std::string> all_named() const;
  [[nodiscard]] std::vector<std::string> named_in(std::int32_t partition) const;

  const std::uint64_t id_;
  const std::shared_ptr<SubscriptionImpl> shared_;
  const std::size_t sources_max_;
  PayloadCache& cache_;
  RecordDecoder& decoder_;

  Phase phase_ = Phase::waiting;
  std::int32_t partition_count_ = 0;
  std::map<std::int32_t, Stream> streams_;
  std::size_t staged_ = 0;
  bool paused_ = false;

  std::uint64_t bounds_wanted_ = 0;
  bool broken_ = false;
  Offsets break_from_;
  bool broke_since_asked_ = false;
  bool missed_ = false;
  bool missed_before_asked_ = false;
  bool listening_at_join_ = false;

  // While it joins.
  Offsets ends_;
  Offsets beginnings_;
  std::vector<std::int32_t> times_to_ask_;
  std::map<std::int32_t, LastEvents> scans_;
  bool scan_asked_ = false;
  std::deque<LiveEvent> early_;
  std::map<std::int32_t, OffsetRange> early_lost_;

  std::uint64_t overruns_ = 0;
  std::uint64_t payloads_gone_ = 0;
  std::uint64_t not_understood_ = 0;
  std::uint64_t gaps_told_ = 0;  // Before a merge was there.
};

}  // namespace dualstream::subscriber
