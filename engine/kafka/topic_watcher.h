// TopicWatcher asks the cluster for the topic now and then, on a thread of its own because
// librdkafka's call waits.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "base/parker.h"
#include "base/worker.h"
#include "kafka/kafka_producer.h"
#include "kafka/librdkafka_client.h"

namespace dualstream::kafka {

// What one question to the cluster brought.
struct TopicAnswer {
  Status status;
  TopicView view;  // When status is ok.
};

// Each asks once, waiting up to `timeout`.
[[nodiscard]] TopicAnswer ask_for_topic(rd_kafka_t& client, rd_kafka_topic_t& topic,
                                        base::Duration timeout);
// The topic's max.message.bytes; 0 without an answer, or without the right to read it
// (DescribeConfigs).
[[nodiscard]] std::size_t ask_for_message_bytes_max(rd_kafka_t& client, rd_kafka_topic_t& topic,
                                                    base::Duration timeout);

// Thread:   start() and stop() on one thread; poll() on the Kafka worker's.
// Lifetime: client and topic outlive it.
class TopicWatcher final : public base::Duty {
 public:
  // `consumer` is woken when there is something to poll(); `answered_at` is set when the cluster
  // has answered, and outlives this.
  TopicWatcher(rd_kafka_t& client, rd_kafka_topic_t& topic, base::Parker& consumer,
               std::atomic<base::TimePoint>& answered_at);
  ~TopicWatcher() override;

  [[nodiscard]] bool start();
  void stop();

  // The newest answer that differs from the one before it.
  [[nodiscard]] std::optional<TopicAnswer> poll();

  // Does not wait for the next time: something speaks for a change.
  void ask_now();

  std::size_t do_work(base::TimePoint now) override;
  [[nodiscard]] base::WakeUp wake_up() const override { return {.at = ask_at_}; }
  [[nodiscard]] bool finished() const override { return stopping_.load(std::memory_order_acquire); }

 private:
  rd_kafka_t& client_;
  rd_kafka_topic_t& topic_;
  base::Parker& consumer_;
  std::atomic<base::TimePoint>& answered_at_;

  // Written by the watching thread.
  base::TimePoint ask_at_{};
  TopicAnswer last_;

  std::mutex mutex_;
  std::optional<TopicAnswer> changed_;  // Guarded by mutex_.
  std::atomic<bool> has_changed_{false};

  std::atomic<bool> stopping_{false};
  std::atomic<bool> asked_{false};
  base::Parker parker_;
  base::Worker worker_;
};

}  // namespace dualstream::kafka
