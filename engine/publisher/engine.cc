// The Engine builds the flow from its far end to its near one, and takes it down from the near end
// to the far one.
#include "dualstream/engine.h"

#include <algorithm>
#include <exception>
#include <string>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "kafka/producer_group.h"
#include "publisher/engine_impl.h"
#include "redis/hiredis_connection.h"
#include "redis/redis_settings.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;

// What is kept back of a stop's deadline for giving up in order: the purge's own grace and the
// closing of the client.
constexpr base::Duration kGiveUpReserve = kafka::KafkaWorker::kPurgeGrace + milliseconds{250};

// A publish() that comes as the engine stops is between two instructions no longer than this,
// however busy the machine is.
constexpr base::Duration kSettlingMax = std::chrono::seconds{30};

event::NotificationQueue::Limits queue_limits(const RedisOptions& redis) {
  return {.notifications_max = redis::queue_half(redis.notifications_max),
          .bytes_max = redis::queue_half(redis.notification_bytes_max),
          .missed_sources_max = redis.sources_remembered_max,
          .units = redis.channels.size()};
}

kafka::KafkaWorker::Settings kafka_settings(const Options& options) {
  return {.batching = {.batch_events_max = options.kafka.batch_events_max,
                       .batch_bytes_max = options.kafka.batch_bytes_max,
                       .linger = options.kafka.linger},
          .delivery_timeout = options.kafka.delivery_timeout,
          .notify = options.redis.notify,
          .clients = static_cast<std::int32_t>(options.kafka.clients),
          .notifications_per_event = options.redis.channels.size(),
          .on_outcomes = options.on_outcomes};
}

}  // namespace

EngineImpl::EngineImpl(Options options)
    : options_(std::move(options)),
      log_(options_.on_log),
      events_({.events_max = options_.queue.events_max, .bytes_max = options_.queue.bytes_max},
              kafka_parker_) {}

EngineImpl::~EngineImpl() {
  // What could not be drained was counted; a destructor has nobody to tell.
  if (running_) static_cast<void>(stop(options_.close_timeout));
}

Status EngineImpl::open() {
  if (!base::ForkGuard::ok()) return Status::error(StatusCode::exhausted, "out of memory");
  if (!kafka_parker_.ok() || !redis_parker_.ok()) {
    return Status::error(
        StatusCode::exhausted,
        "the system refused a descriptor; raise its limit on open files (ulimit -n)");
  }
  std::unique_ptr<kafka::KafkaProducer> producer;
  if (Status status = kafka::make_producer_group(options_.kafka, kafka_parker_, producer);
      !status.ok()) {
    return status;
  }
  Status connected = producer->connect(options_.kafka.open_timeout);
  if (connected.code == StatusCode::unreachable && !options_.kafka.required_at_open) {
    if (options_.kafka.open_timeout > milliseconds{0}) {
      log_.write(LogKind::kafka_unreachable, LogLevel::warning,
                 connected.message + "; events are buffered until one does",
                 {{"brokers", options_.kafka.brokers}, {"topic", options_.kafka.topic}});
    }
    connected = {};
  }
  if (!connected.ok()) return connected;
  if (!options_.redis.address.empty()) {
    notifications_ = std::make_unique<event::NotificationQueue>(queue_limits(options_.redis),
                                                                kafka_counters_, redis_parker_);
    redis::RedisSettings settings;
    if (Status status = redis::read_redis_options(options_.redis, settings); !status.ok())
      return status;
    redis_ = std::make_unique<redis::RedisWorker>(std::move(settings.worker),
                                                  redis::make_hiredis_connection(settings.address),
                                                  *notifications_, redis_counters_, log_);
  }
  kafka_ =
      std::make_unique<kafka::KafkaWorker>(kafka_settings(options_), std::move(producer), events_,
                                           notifications_.get(), kafka_counters_, log_);
  return start_workers();
}

Status EngineImpl::start_workers() {
  Status refused =
      Status::error(StatusCode::exhausted,
                    "the system refused a thread; raise its limit on processes (ulimit -u)");
  if (has_redis() && !redis_thread_.start("ds-redis", *redis_, redis_parker_)) return refused;
  running_ = kafka_thread_.start("ds-kafka", *kafka_, kafka_parker_);
  if (running_) return {};
  if (has_redis()) {
    // Nothing was accepted, so there is nothing to drain.
    notifications_->close();
    redis_->stop_by(base::Clock::now());
    redis_parker_.unpark();
  }
  return refused;
}

std::unique_ptr<PublisherImpl> EngineImpl::publisher() {
  if (in_child()) {
    // It refuses everything. Its slot is left behind like the rest of a child's engine.
    auto slot = std::make_unique<PublisherSlot>(events_);
    return std::make_unique<PublisherImpl>(*slot.release(), events_, kafka_thread_, options_);
  }
  const std::lock_guard lock{slots_mutex_};
  auto slot = std::ranges::find_if(slots_, [](const std::unique_ptr<PublisherSlot>& candidate) {
    return !candidate->in_use.exchange(true, std::memory_order_acq_rel);
  });
  if (slot == slots_.end()) slot = slots_.insert(slot, std::make_unique<PublisherSlot>(events_));
  return std::make_unique<PublisherImpl>(**slot, events_, kafka_thread_, options_);
}

Status EngineImpl::stop(milliseconds deadline) {
  if (in_child()) {
    return Status::error(StatusCode::stopped,
                         "stop() was called in a process forked from the one that opened the "
                         "engine; stop it there, and open another one here");
  }
  if (kafka_thread_.is_current() || redis_thread_.is_current()) {
    return Status::error(StatusCode::stopped,
                         "stop() was called from a callback, whose end it would wait for; call it "
                         "on another thread");
  }
  const std::lock_guard lock{stop_mutex_};
  if (!stopped_) stopped_ = stop_once(deadline);
  return *stopped_;
}

Status EngineImpl::stop_once(base::Duration deadline) {
  const base::TimePoint now = base::Clock::now();
  const base::TimePoint end = now + deadline;
  const base::TimePoint give_up_at = std::max(now, end - std::min(kGiveUpReserve, deadline / 2));
  // First stage: the intake closes, and every event gets its outcome.
  kafka_->stop_by(give_up_at);
  events_.close();
  kafka_thread_.join();
  // Second stage: the notifications of what was acknowledged go out.
  if (has_redis()) {
    redis_->stop_by(end);
    redis_parker_.unpark();
    redis_thread_.join();
  }
  log_.tell_suppressed();
  const Stats after = stats();
  CHECK(after[Counter::pending] == 0, "every accepted event has its outcome");
  CHECK(events_.settles_by(base::Clock::now() + kSettlingMax),
        "every accepted event has given its room back");
  CHECK(after[Counter::pending_notifications] == 0,
        "every notification is notified, dropped or unconfirmed");
  CHECK(after.balances(), "the ledger balances");
  return what_was_left(after);
}

Status EngineImpl::what_was_left(const Stats& after) const {
  const std::uint64_t failed = kafka_->given_up();
  const std::uint64_t dropped = after[Counter::dropped_stopped];
  if (failed == 0 && dropped == 0) return {};
  std::string message = "the deadline of stop() came first:";
  if (failed > 0) {
    message +=
        " " + std::to_string(failed) + " events were not acknowledged and failed as stopped;";
  }
  if (dropped > 0) {
    message += " " + std::to_string(dropped) + " notifications were dropped;";
  }
  message += " give it more time, or look for what keeps the servers from answering";
  return Status::error(StatusCode::timed_out, std::move(message));
}

Stats EngineImpl::stats() const {
  // What settles is read before what it settles, so that a snapshot of a running engine balances,
  // too.
  Stats stats;
  if (in_child()) return stats;
  const auto value = [&stats](Counter counter) -> std::uint64_t& {
    return stats.values[static_cast<std::size_t>(counter)];
  };
  for (const CounterInfo& info : counter_infos()) {
    if (info.counter == Counter::announced) continue;
    value(info.counter) = redis_counters_.get(info.counter) + kafka_counters_.get(info.counter);
  }
  value(Counter::announced) = kafka_counters_.get(Counter::announced);
  {
    const std::lock_guard lock{slots_mutex_};
    for (const std::unique_ptr<PublisherSlot>& slot : slots_) {
      for (const Counter counter :
           {Counter::accepted, Counter::refused_full, Counter::refused_too_large,
            Counter::refused_invalid, Counter::refused_stopping}) {
        value(counter) += slot->counters.get(counter);
      }
    }
  }
  // As the reasons were read, whatever was counted since.
  value(Counter::failed) = 0;
  for (const Failure failure : {Failure::timed_out, Failure::too_large, Failure::unknown_topic,
                                Failure::unauthorized, Failure::rejected, Failure::stopped}) {
    value(Counter::failed) += stats[counter_of(failure)];
  }
  value(Counter::offered) = stats[Counter::accepted] + stats.refused();
  value(Counter::pending) =
      stats[Counter::accepted] - stats[Counter::delivered] - stats[Counter::failed];
  value(Counter::pending_bytes) = events_.pending_bytes();
  value(Counter::pending_notifications) = stats[Counter::announced] - stats[Counter::notified] -
                                          stats.dropped() - stats[Counter::unconfirmed];
  stats.publish_to_acknowledged = kafka_->latencies();
  if (redis_ != nullptr) stats.acknowledged_to_notified = redis_->latencies();
  return stats;
}

Health EngineImpl::health() const {
  Health health;
  if (in_child()) {
    health.stopping = true;
    health.kafka_reason = "the engine is the parent's";
    return health;
  }
  health.stopping = events_.closed();
  std::tie(health.kafka, health.kafka_reason) = kafka_->health(base::Clock::now());
  if (redis_ != nullptr) std::tie(health.redis, health.redis_reason) = redis_->health();
  return health;
}

Engine::Engine(std::unique_ptr<EngineImpl> impl) noexcept : impl_(std::move(impl)) {}

Engine::~Engine() {
  if (impl_->in_child()) {
    // Its threads are the parent's, its sockets are shared with the parent: nothing is touched, the
    // memory stays.
    static_cast<void>(impl_.release());
  }
}

Status Engine::open(Options options, std::unique_ptr<Engine>& engine) {
  engine.reset();
  try {
    if (Status status = validate(options); !status.ok()) return status;
    auto impl = std::make_unique<EngineImpl>(std::move(options));
    if (Status status = impl->open(); !status.ok()) return status;
    // tidy: allow(naked_new) the constructor is private
    engine.reset(new Engine{std::move(impl)});
    return {};
  } catch (const std::exception&) {
    return Status::error(StatusCode::exhausted, "out of memory");  // Short: in place.
  }
}

Publisher Engine::publisher() { return Publisher{impl_->publisher()}; }

Status Engine::stop(milliseconds deadline) { return impl_->stop(deadline); }

Stats Engine::stats() const { return impl_->stats(); }

Health Engine::health() const { return impl_->health(); }

}  // namespace dualstream
