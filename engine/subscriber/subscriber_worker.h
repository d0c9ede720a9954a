// SubscriberWorker brings what Redis publishes and what Kafka holds to the readers of a process,
// over one connection to each.
//
//   RedisSubscription --frames--> route() --> Reader, Reader, ... --> their queues
//   HistoryWorker ----answers--> settle() ------^
//        ^--- questions: bounds now and then; stretches, one at a time for each partition, for all
//             readers that want them
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/worker.h"
#include "redis/channel.h"
#include "redis/frame_reader.h"
#include "redis/redis_subscription.h"
#include "subscriber/history_worker.h"
#include "subscriber/payload_cache.h"
#include "subscriber/reader.h"
#include "subscriber/record_decoder.h"

namespace dualstream::subscriber {

// Thread:   its worker's; add(), state() and stop() on any.
// Lifetime: everything that it is given a reference to outlives it.
class SubscriberWorker final : public base::Duty {
 public:
  struct Settings {
    std::vector<redis::ChannelTemplate> templates;
    base::Duration notification_delay_max = std::chrono::seconds{10};
    base::Duration outage_poll = std::chrono::seconds{1};
    std::size_t sources_remembered_max = 65'536;
    std::size_t payload_cache_bytes_max = 16 * 1024 * 1024;
    JsonOptions json;
  };

  // `redis` is null where there is none.
  SubscriberWorker(Settings settings, std::unique_ptr<redis::RedisSubscription> redis,
                   HistoryWorker& history, base::Parker& parker, base::Log& log);

  void add(std::shared_ptr<SubscriptionImpl> subscription);
  [[nodiscard]] SubscriberState state() const noexcept;
  void stop() noexcept;

  std::size_t do_work(base::TimePoint now) override;
  [[nodiscard]] base::WakeUp wake_up() const override;
  [[nodiscard]] bool finished() const override { return finished_; }

 private:
  // Ends of the partitions as they were asked for at one time.
  struct Sample {
    base::TimePoint at;
    Offsets ends;
  };
  struct PartitionReads {
    bool asked = false;
    bool payload_first = false;  // The next one; history and payloads take turns.
    base::TimePoint retry_at{};
  };

  std::size_t admit();
  std::size_t listen(base::TimePoint now);
  void route(const redis::ChannelMessage& message);
  void note_break();
  std::size_t settle(base::TimePoint now);
  void take_bounds(const Answer& answer, base::TimePoint now);
  [[nodiscard]] bool is_anew(const std::vector<kafka::PartitionBounds>& bounds,
                             base::TimePoint now);
  void begin_anew(const std::vector<kafka::PartitionBounds>& bounds);
  void ask(Question question);
  void take_read(const Answer& answer, base::TimePoint now);
  [[nodiscard]] Reader* reader(std::uint64_t id);
  void advance(Reader& reader);
  void ask_for_bounds(base::TimePoint now);
  // Stretches that readers want, by partition.
  using Wants = std::map<std::int32_t, std::vector<OffsetRange>>;
  void ask_to_read(base::TimePoint now);
  void ask_to_scan(Reader& reader, base::TimePoint now);
  void ask_for_nearest(std::int32_t partition, std::vector<OffsetRange>& ranges);
  [[nodiscard]] bool listens(const Reader& reader) const;
  [[nodiscard]] bool redis_ready() const noexcept;
  [[nodiscard]] Offsets trusted_at(base::TimePoint time) const;
  void note_kafka(const Status& status);

  const Settings settings_;
  const std::unique_ptr<redis::RedisSubscription> redis_;
  HistoryWorker& history_;
  base::Parker& parker_;
  base::Log& log_;

  redis::FrameReader frames_;
  RecordDecoder decoder_;
  PayloadCache cache_;

  std::vector<std::unique_ptr<Reader>> readers_;
  std::map<redis::Topic, std::vector<Reader*>> routes_;
  std::uint64_t ids_ = 0;

  std::deque<Sample> samples_;
  std::uint64_t bounds_ticket_ = 0;  // Of the last question.
  bool bounds_asked_ = false;        // And not answered.
  base::TimePoint bounds_asked_at_{};
  base::TimePoint bounds_due_at_{};
  std::map<std::uint64_t, std::vector<std::uint64_t>> listened_;  // By ticket: who listened then.
  std::uint64_t life_ = 0;      // How often the topic was made anew.
  bool topic_missing_ = false;  // Until Kafka says where it stands, nothing is read.
  bool topic_doubted_ = false;  // By a notification, since Kafka last said so.
  base::TimePoint doubt_counts_from_{};
  std::map<std::int32_t, PartitionReads> reads_;
  std::map<std::uint64_t, base::TimePoint> scan_retry_at_;

  std::uint64_t breaks_ = 0;
  base::TimePoint marked_at_{};
  bool finished_ = false;

  std::atomic<LinkHealth> redis_health_{LinkHealth::off};
  std::atomic<LinkHealth> kafka_health_{LinkHealth::connecting};
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  std::vector<std::shared_ptr<SubscriptionImpl>> incoming_;  // Guarded by mutex_.
};

}  // namespace dualstream::subscriber
