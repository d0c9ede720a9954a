// KafkaWorker drains the event queue into Kafka and tells everybody what became of each event.
//
//   EventQueue -> take_events() -> Batcher -> hand_over_batches() -> KafkaProducer
//                                                                         |
//   on_outcomes, publish_and_wait() <- settle() <- forward_reports() <----+
//   NotificationQueue               <---'
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/counters.h"
#include "base/histogram.h"
#include "base/log.h"
#include "base/said.h"
#include "base/worker.h"
#include "dualstream/health.h"
#include "dualstream/options.h"
#include "event/event_queue.h"
#include "event/notification_queue.h"
#include "kafka/batcher.h"
#include "kafka/kafka_producer.h"

namespace dualstream::kafka {

// Thread:   the Kafka worker's; stop_by() on any.
// Lifetime: everything that it is given a reference or a pointer to outlives it.
class KafkaWorker final : public base::Duty {
 public:
  struct Settings {
    Batcher::Limits batching;
    base::Duration delivery_timeout = std::chrono::seconds{120};
    NotifyAt notify = NotifyAt::acknowledged;
    // That share the sources out among them, behind the KafkaProducer.
    std::int32_t clients = 1;
    // Notifications of the ledger that one event makes: the channel templates.
    std::size_t notifications_per_event = 1;
    std::function<void(std::span<const Outcome>)> on_outcomes;
  };

  // `notifications` is null when there is no Redis.
  KafkaWorker(Settings settings, std::unique_ptr<KafkaProducer> producer, event::EventQueue& events,
              event::NotificationQueue* notifications, base::Counters& counters, base::Log& log);
  ~KafkaWorker() override;

  std::size_t do_work(base::TimePoint now) override;
  [[nodiscard]] base::WakeUp wake_up() const override;
  [[nodiscard]] bool finished() const override { return finished_; }

  // The event queue is closed: settle what is pending, and give up at `give_up_at` what is still
  // pending then. The last reports after that come within kPurgeGrace, or the client is closed
  // without them.
  void stop_by(base::TimePoint give_up_at) noexcept;

  // Events that failed because the stop came first. After the thread has ended.
  [[nodiscard]] std::size_t given_up() const noexcept { return given_up_; }

  // From publish() to the acknowledgement, of the events that are measured. On any thread.
  [[nodiscard]] Latencies latencies() const noexcept { return latencies_.read(); }
  // How Kafka is at `now`, and why. On any thread.
  [[nodiscard]] std::pair<KafkaHealth, std::string> health(base::TimePoint now) const;

  // A cluster that has neither answered nor acknowledged for so long is `unreachable`; it is asked
  // at least every 5 s.
  static constexpr base::Duration kSilentFor = std::chrono::seconds{8};

  static constexpr base::Duration kPurgeGrace = std::chrono::milliseconds{250};

 private:
  std::size_t forward_reports();
  std::size_t take_events(base::TimePoint now);
  std::size_t hand_over_batches(base::TimePoint now);
  std::size_t expire(base::TimePoint now);
  void follow_topic();
  void heed_message_limit(std::size_t message_bytes_max);
  [[nodiscard]] bool refused_for_its_batch(const Report& report) const noexcept;
  static void give_up_on(Report& report) noexcept;
  void follow_notices();
  void place(event::EventPtr event);
  void advance_stop(base::TimePoint now);
  void give_up_what_waits();
  void finish();

  // Gives every report its outcome and frees its event; the flow's one exit.
  void settle(std::span<Report> reports);
  void settle_waiting(event::EventList&& list, Failure failure, std::string_view detail);
  void follow_acknowledged(const Report& report);
  void recover(std::span<const Report> reports);
  void heed_failure(const Report& last);
  void say_unwell(KafkaHealth health, std::string_view reason);
  void say_well(std::string_view line);
  void announce(event::Notification&& notification);
  void call_back(std::span<const Outcome> outcomes) noexcept;

  static constexpr std::size_t kEventsPerCycle = 1024;
  static constexpr std::size_t kReportsPerCycle = 1024;

  const Settings settings_;
  std::unique_ptr<KafkaProducer> producer_;
  event::EventQueue& events_;
  event::NotificationQueue* const notifications_;
  base::Counters& counters_;
  base::Log& log_;

  base::TimePoint now_{};  // Of this cycle.
  Batcher batcher_;
  std::size_t message_bytes_max_ = 0;  // The topic's, 0 while unknown.
  std::int32_t partitions_ = 0;        // The topic's, 0 while unknown.
  event::EventList unplaced_;          // Taken while they are.
  base::TimePoint expire_at_ = base::kNever;
  base::TimePoint hand_over_at_{};
  bool kafka_in_trouble_ = false;
  NoticeKind trouble_ = NoticeKind::info;
  base::Histogram latencies_;
  bool unwell_ = false;  // said_ was told of trouble that is not over.
  // Since when the topic is missing, by the last that was heard from the client or by an event's
  // failure. What times out then does so for that reason.
  std::optional<base::TimePoint> topic_missed_at_;
  // What health() tells. `unreachable` stands for "no broker was heard of yet" only: afterwards it
  // follows from the time of the last answer.
  base::Said<KafkaHealth> said_{KafkaHealth::unreachable};
  std::atomic<base::TimePoint> acknowledged_at_{base::TimePoint{}};

  // Reused from cycle to cycle.
  std::vector<event::EventPtr> taken_;
  std::vector<Report> reports_;
  std::vector<Report> refused_;
  std::vector<Outcome> outcomes_;

  enum class Stopping : std::uint8_t { no, draining, purging };
  Stopping stopping_ = Stopping::no;
  base::TimePoint close_at_ = base::kNever;
  bool finished_ = false;
  std::size_t given_up_ = 0;

  // Written by stop_by().
  std::atomic<base::TimePoint> give_up_at_{base::kNever};
};

}  // namespace dualstream::kafka
