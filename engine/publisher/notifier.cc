#include "dualstream/notifier.h"

#include <utility>

#include "base/counters.h"
#include "base/log.h"
#include "base/parker.h"
#include "base/worker.h"
#include "event/notification_queue.h"
#include "redis/hiredis_connection.h"
#include "redis/redis_settings.h"
#include "redis/redis_worker.h"

namespace dualstream {

using std::chrono::milliseconds;

// The Redis side of an engine by itself.
class NotifierImpl {
 public:
  NotifierImpl(RedisOptions options, std::function<void(const LogLine&)> on_log)
      : options_(std::move(options)), log_(std::move(on_log)) {}

  ~NotifierImpl() { stop(milliseconds{10'000}); }
  NotifierImpl(const NotifierImpl&) = delete;
  NotifierImpl& operator=(const NotifierImpl&) = delete;

  Status open() {
    if (!parker_.ok() || !waiter_.ok()) {
      return Status::error(
          StatusCode::exhausted,
          "the system refused a descriptor; raise its limit on open files (ulimit -n)");
    }
    redis::RedisSettings settings;
    if (Status status = redis::read_redis_options(options_, settings); !status.ok()) return status;
    queue_ = std::make_unique<event::NotificationQueue>(
        event::NotificationQueue::Limits{
            .notifications_max = redis::queue_half(options_.notifications_max),
            .bytes_max = redis::queue_half(options_.notification_bytes_max),
            .missed_sources_max = options_.sources_remembered_max,
            .units = options_.channels.size()},
        queue_counters_, parker_);
    worker_ = std::make_unique<redis::RedisWorker>(std::move(settings.worker),
                                                   redis::make_hiredis_connection(settings.address),
                                                   *queue_, redis_counters_, log_);
    running_ = thread_.start("ds-notifier", *worker_, parker_);
    if (running_) return {};
    return Status::error(StatusCode::exhausted,
                         "the system refused a thread; raise its limit on processes (ulimit -u)");
  }

  bool notify(const EventView& event, std::int32_t partition, std::int64_t offset,
              milliseconds timeout) {
    // A quarter of what may be held: so the queue never has to drop.
    const std::uint64_t room = options_.notifications_max * options_.channels.size() / 4;
    if (!wait_until_below(room + 1, timeout)) return false;
    queue_->push(event::Notification{event, partition, offset});
    queue_->flush();
    announced_ += options_.channels.size();
    return true;
  }

  // Looks again and again: the worker tells nobody, and a replay is in no hurry.
  bool wait_until_below(std::uint64_t count, milliseconds timeout) {
    const base::TimePoint deadline = base::Clock::now() + timeout;
    while (stats().pending >= count) {
      const base::TimePoint now = base::Clock::now();
      if (now >= deadline) return false;
      waiter_.nap(now, {.at = now + milliseconds{1}});
    }
    return true;
  }

  void stop(milliseconds deadline) {
    if (!running_) return;
    running_ = false;
    worker_->stop_by(base::Clock::now() + deadline);
    queue_->close();
    thread_.join();
  }

  [[nodiscard]] NotifierStats stats() const {
    const auto sum = [this](Counter counter) {
      return queue_counters_.get(counter) + redis_counters_.get(counter);
    };
    NotifierStats now{.announced = announced_,
                      .notified = sum(Counter::notified),
                      .dropped = sum(Counter::dropped_overflow) + sum(Counter::dropped_refused) +
                                 sum(Counter::dropped_error) + sum(Counter::dropped_stopped),
                      .unconfirmed = sum(Counter::unconfirmed)};
    const std::uint64_t settled = now.notified + now.dropped + now.unconfirmed;
    now.pending = announced_ > settled ? announced_ - settled : 0;
    return now;
  }

 private:
  const RedisOptions options_;
  base::Log log_;
  base::Parker parker_;
  base::Parker waiter_;  // The caller's.
  base::Counters queue_counters_;
  base::Counters redis_counters_;
  std::unique_ptr<event::NotificationQueue> queue_;
  std::unique_ptr<redis::RedisWorker> worker_;
  base::Worker thread_;
  bool running_ = false;
  std::uint64_t announced_ = 0;
};

Notifier::Notifier(std::unique_ptr<NotifierImpl> impl) noexcept : impl_(std::move(impl)) {}
Notifier::~Notifier() = default;

Status Notifier::open(const RedisOptions& redis, std::function<void(const LogLine&)> on_log,
                      std::unique_ptr<Notifier>& notifier) {
  if (redis.address.empty()) {
    return Status::error(StatusCode::invalid_options,
                         "redis.address is empty; a notifier needs a Redis to notify");
  }
  Options both;
  both.kafka.brokers = "unused:9092";
  both.kafka.topic = "unused";
  both.redis = redis;
  if (Status status = validate(both); !status.ok()) return status;
  auto impl = std::make_unique<NotifierImpl>(redis, std::move(on_log));
  if (Status status = impl->open(); !status.ok()) return status;
  notifier.reset(new Notifier{std::move(impl)});  // tidy: allow(naked_new) private constructor
  return {};
}

bool Notifier::notify(const EventView& event, std::int32_t partition, std::int64_t offset,
                      milliseconds timeout) {
  return impl_->notify(event, partition, offset, timeout);
}

bool Notifier::drain(milliseconds timeout) { return impl_->wait_until_below(1, timeout); }

void Notifier::stop(milliseconds deadline) { impl_->stop(deadline); }

NotifierStats Notifier::stats() const { return impl_->stats(); }

}  // namespace dualstream
