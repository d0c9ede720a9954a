// Life is one simulated engine, from its start to its stop: both workers, stepped in random order
// between a faulty Kafka and a faulty Redis, on a clock of its own. All of it comes from one seed:
// sizes, faults, events, the order of steps and the moment of the stop.
//
// After every step the ledger has to balance and every bound to be kept; what the two sides see is
// checked where they see it (FaultyKafka, ChannelReaders).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/counters.h"
#include "base/log.h"
#include "base/parker.h"
#include "event/answer_slot.h"
#include "event/event_queue.h"
#include "event/notification_queue.h"
#include "kafka/kafka_worker.h"
#include "redis/redis_worker.h"
#include "simulation/channel_readers.h"
#include "simulation/faulty_kafka.h"
#include "simulation/faulty_redis.h"
#include "simulation/random.h"
#include "simulation/truth.h"

namespace dualstream::simulation {

class Life {
 public:
  explicit Life(std::uint64_t seed);

  // From start to stop. False when something did not hold: broken() says what.
  bool live();

  [[nodiscard]] std::string broken() const;
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }

  // What has happened, to see that faults did.
  struct Tally {
    std::uint64_t steps = 0;
    std::uint64_t delivered = 0;
    std::uint64_t failed = 0;
    std::uint64_t refused_full = 0;
    std::uint64_t retried_batches = 0;
    std::uint64_t rebuilds = 0;
    std::uint64_t notified = 0;
    std::uint64_t dropped = 0;
    std::uint64_t unconfirmed = 0;
    std::uint64_t disconnects = 0;
    std::uint64_t gaps_seen = 0;
    std::uint64_t calm_ends = 0;
  };
  void add_to(Tally& tally) const;

 private:
  struct Sizes;
  [[nodiscard]] static Sizes sizes_of(Random& random);

  void make_sources(std::size_t count);
  void make_kafka(const Sizes& sizes);
  void make_redis(const Sizes& sizes);

  void step();
  void publish_any();
  void publish(std::uint32_t source, std::size_t payload_bytes);
  std::size_t step_kafka();
  std::size_t step_redis();
  void pass_time();

  // What is left comes to its end without a fault, woken only by what the workers ask for.
  void end_calmly();
  void settle_calmly(base::TimePoint until);
  void stop();

  void take_outcomes(std::span<const Outcome> outcomes);
  void check_outcome(const Outcome& outcome);
  void check();
  void check_after_stop();

  [[nodiscard]] std::uint64_t count(Counter counter) const noexcept {
    return kafka_counters_.get(counter) + redis_counters_.get(counter);
  }
  [[nodiscard]] std::uint64_t dropped() const noexcept;
  [[nodiscard]] std::uint64_t pending_notifications() const noexcept;

  const std::uint64_t seed_;
  Random random_;
  Truth truth_;
  base::TimePoint now_ = base::TimePoint{} + std::chrono::hours{1};
  std::uint64_t steps_ = 0;
  std::uint64_t steps_max_ = 0;
  std::uint64_t patience_ = 0;  // Of a thousand: how often time passes in leaps.

  base::Log log_;
  base::Parker parker_;
  base::Counters kafka_counters_;
  base::Counters redis_counters_;
  event::EventQueue::Limits event_limits_;
  event::NotificationQueue::Limits notification_limits_;
  NotifyAt notify_ = NotifyAt::acknowledged;
  std::size_t redis_pending_max_ = 0;
  base::Duration reply_timeout_{};
  bool forgets_ = false;  // Sources, for want of room.
  bool with_answers_ = false;
  std::uint64_t callback_throws_ = 0;

  std::unique_ptr<event::EventQueue> events_;
  std::deque<event::EventQueue::Producer> producers_;  // They do not move.
  std::unique_ptr<event::NotificationQueue> notifications_;
  std::unique_ptr<ChannelReaders> readers_;
  FaultyKafka* kafka_ = nullptr;  // The worker owns it.
  FaultyRedis* redis_ = nullptr;
  std::unique_ptr<kafka::KafkaWorker> kafka_worker_;
  std::unique_ptr<redis::RedisWorker> redis_worker_;

  std::uint64_t accepted_ = 0;
  std::uint64_t refused_full_ = 0;
  std::uint64_t outcomes_ = 0;
  std::vector<std::pair<std::uint64_t, std::shared_ptr<event::Answers>>> waiting_callers_;
  bool ended_calmly_ = false;
};

}  // namespace dualstream::simulation
