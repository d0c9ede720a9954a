// EngineImpl owns both workers and everything between them, in the order of the flow.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/counters.h"
#include "base/fork_guard.h"
#include "base/log.h"
#include "base/parker.h"
#include "base/worker.h"
#include "dualstream/engine.h"
#include "event/event_queue.h"
#include "event/notification_queue.h"
#include "kafka/kafka_worker.h"
#include "publisher/publisher_impl.h"
#include "redis/redis_worker.h"

namespace dualstream {

// Lifetime: members are destroyed from the last to the first: the threads before what they work on.
class EngineImpl {
 public:
  explicit EngineImpl(Options options);
  // Stops what runs, within close_timeout.
  ~EngineImpl();

  EngineImpl(const EngineImpl&) = delete;
  EngineImpl& operator=(const EngineImpl&) = delete;

  [[nodiscard]] Status open();
  [[nodiscard]] std::unique_ptr<PublisherImpl> publisher();
  Status stop(std::chrono::milliseconds deadline);
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] Health health() const;
  // Whether this process was forked from the one that opened the engine. Then nothing here may wait
  // for a thread or a lock: those who would give way were not forked.
  [[nodiscard]] bool in_child() const noexcept { return fork_guard_.in_child(); }

 private:
  [[nodiscard]] bool has_redis() const noexcept { return notifications_ != nullptr; }
  [[nodiscard]] Status start_workers();
  [[nodiscard]] Status stop_once(base::Duration deadline);
  [[nodiscard]] Status what_was_left(const Stats& after) const;

  const Options options_;
  const base::ForkGuard fork_guard_;
  base::Log log_;
  base::Counters kafka_counters_;
  base::Counters redis_counters_;

  base::Parker kafka_parker_;
  base::Parker redis_parker_;
  event::EventQueue events_;
  std::unique_ptr<event::NotificationQueue> notifications_;  // Null without Redis.
  std::unique_ptr<kafka::KafkaWorker> kafka_;
  std::unique_ptr<redis::RedisWorker> redis_;

  mutable std::mutex slots_mutex_;
  std::vector<std::unique_ptr<PublisherSlot>> slots_;  // Guarded by slots_mutex_.

  bool running_ = false;  // Written by open().

  std::mutex stop_mutex_;
  std::optional<Status> stopped_;  // Guarded by stop_mutex_.

  base::Worker kafka_thread_;
  base::Worker redis_thread_;
};

}  // namespace dualstream
