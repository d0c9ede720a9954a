// HistoryWorker asks Kafka, a question after the other, on a thread of its own: its port waits.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/parker.h"
#include "base/worker.h"
#include "kafka/kafka_reader.h"

namespace dualstream::subscriber {

struct Question {
  enum class Kind : std::uint8_t {
    bounds,     // Of every partition.
    offset_at,  // `request.partition` at `timestamp_ms`.
    read,       // `request`.
    rest,       // Whatever was fetched ahead is dropped.
  };
  Kind kind = Kind::bounds;
  std::uint64_t ticket = 0;
  std::uint64_t life = 0;  // Of the topic, as far as the asker knew.
  std::int64_t timestamp_ms = 0;
  kafka::ReadRequest request{};
};

struct Answer {
  Question question;
  Status status;
  std::vector<kafka::PartitionBounds> bounds;  // By partition.
  std::int64_t offset = -1;
  kafka::ReadAnswer read;
};

// Thread:   ask() and answer() on one thread, do_work() on its own.
// Lifetime: everything that it is given a reference to outlives it.
class HistoryWorker final : public base::Duty {
 public:
  // How long a question waits for Kafka before it is answered with what there is.
  static constexpr base::Duration kPatience = std::chrono::milliseconds{500};
  // Without a question for this long, fetching ahead ends.
  static constexpr base::Duration kRestAfter = std::chrono::milliseconds{500};

  // `consumer` is woken by each answer.
  HistoryWorker(std::unique_ptr<kafka::KafkaReader> reader, base::Parker& consumer);

  [[nodiscard]] base::Parker& parker() noexcept { return parker_; }

  void ask(const Question& question);
  [[nodiscard]] std::optional<Answer> answer();
  void stop() noexcept;

  std::size_t do_work(base::TimePoint now) override;
  [[nodiscard]] base::WakeUp wake_up() const override;
  [[nodiscard]] bool finished() const override { return stopping_.load(std::memory_order_acquire); }

 private:
  [[nodiscard]] Answer find(const Question& question);

  const std::unique_ptr<kafka::KafkaReader> reader_;
  base::Parker& consumer_;
  base::Parker parker_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::deque<Question> questions_;
  std::deque<Answer> answers_;

  std::atomic<bool> stopping_{false};

  // The worker's.
  base::TimePoint worked_at_{};
  bool resting_ = true;
};

}  // namespace dualstream::subscriber
