// The names of the public enumerations and counters, one table each.
#include <array>

#include "dualstream/log_line.h"
#include "dualstream/outcome.h"
#include "dualstream/stats.h"
#include "dualstream/status.h"

namespace dualstream {

std::string_view name(StatusCode code) noexcept {
  switch (code) {
    case StatusCode::ok:
      return "ok";
    case StatusCode::invalid_options:
      return "invalid_options";
    case StatusCode::unreachable:
      return "unreachable";
    case StatusCode::unauthorized:
      return "unauthorized";
    case StatusCode::unknown_topic:
      return "unknown_topic";
    case StatusCode::timed_out:
      return "timed_out";
    case StatusCode::rejected:
      return "rejected";
    case StatusCode::stopped:
      return "stopped";
    case StatusCode::exhausted:
      return "exhausted";
  }
  return "unknown";
}

std::string_view name(PublishResult result) noexcept {
  switch (result) {
    case PublishResult::accepted:
      return "accepted";
    case PublishResult::full:
      return "full";
    case PublishResult::too_large:
      return "too_large";
    case PublishResult::invalid:
      return "invalid";
    case PublishResult::stopping:
      return "stopping";
  }
  return "unknown";
}

std::string_view name(OutcomeKind kind) noexcept {
  switch (kind) {
    case OutcomeKind::delivered:
      return "delivered";
    case OutcomeKind::failed:
      return "failed";
    case OutcomeKind::refused:
      return "refused";
    case OutcomeKind::pending:
      return "pending";
  }
  return "unknown";
}

std::string_view name(Failure failure) noexcept {
  switch (failure) {
    case Failure::none:
      return "none";
    case Failure::timed_out:
      return "timed_out";
    case Failure::too_large:
      return "too_large";
    case Failure::unknown_topic:
      return "unknown_topic";
    case Failure::unauthorized:
      return "unauthorized";
    case Failure::rejected:
      return "rejected";
    case Failure::stopped:
      return "stopped";
  }
  return "unknown";
}

std::string_view name(Persisted persisted) noexcept {
  switch (persisted) {
    case Persisted::no:
      return "no";
    case Persisted::maybe:
      return "maybe";
  }
  return "unknown";
}

std::string_view name(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "unknown";
}

std::string_view name(LogKind kind) noexcept {
  switch (kind) {
    case LogKind::kafka_unreachable:
      return "kafka_unreachable";
    case LogKind::kafka_unauthorized:
      return "kafka_unauthorized";
    case LogKind::kafka_topic:
      return "kafka_topic";
    case LogKind::kafka_error:
      return "kafka_error";
    case LogKind::kafka_recovered:
      return "kafka_recovered";
    case LogKind::kafka_rebuilt:
      return "kafka_rebuilt";
    case LogKind::kafka_partitions:
      return "kafka_partitions";
    case LogKind::kafka_message_limit:
      return "kafka_message_limit";
    case LogKind::kafka_client:
      return "kafka_client";
    case LogKind::redis_connected:
      return "redis_connected";
    case LogKind::redis_lost:
      return "redis_lost";
    case LogKind::redis_refused:
      return "redis_refused";
    case LogKind::redis_publish_refused:
      return "redis_publish_refused";
    case LogKind::redis_publish_failed:
      return "redis_publish_failed";
    case LogKind::redis_publish_recovered:
      return "redis_publish_recovered";
  }
  return "unknown";
}

namespace {

constexpr std::array<CounterInfo, kCounterCount> kCounterInfos{{
    {Counter::offered, "offered", "events that publish() was called with",
     "dualstream_events_offered_total", "", false},
    {Counter::accepted, "accepted", "events that publish() took",
     "dualstream_events_accepted_total", "", false},
    {Counter::refused_full, "refused_full", "events refused because the queue was full",
     "dualstream_events_refused_total", "full", false},
    {Counter::refused_too_large, "refused_too_large", "events refused for their size",
     "dualstream_events_refused_total", "too_large", false},
    {Counter::refused_invalid, "refused_invalid", "events refused for a bad field or a bad line",
     "dualstream_events_refused_total", "invalid", false},
    {Counter::refused_stopping, "refused_stopping", "events refused because the engine stops",
     "dualstream_events_refused_total", "stopping", false},
    {Counter::delivered, "delivered", "events that Kafka acknowledged",
     "dualstream_events_delivered_total", "", false},
    {Counter::failed, "failed", "events whose outcome was failed", "dualstream_events_failed_total",
     "", false},
    {Counter::failed_timed_out, "failed_timed_out",
     "events that Kafka did not acknowledge within kafka.delivery_timeout",
     "dualstream_events_failed_reason_total", "timed_out", false},
    {Counter::failed_too_large, "failed_too_large",
     "events that the broker or the client refused for their size",
     "dualstream_events_failed_reason_total", "too_large", false},
    {Counter::failed_unknown_topic, "failed_unknown_topic",
     "events whose topic or partition does not exist", "dualstream_events_failed_reason_total",
     "unknown_topic", false},
    {Counter::failed_unauthorized, "failed_unauthorized",
     "events that the broker refused for missing rights", "dualstream_events_failed_reason_total",
     "unauthorized", false},
    {Counter::failed_rejected, "failed_rejected",
     "events that the broker refused for another reason", "dualstream_events_failed_reason_total",
     "rejected", false},
    {Counter::failed_stopped, "failed_stopped",
     "events that had no answer at the deadline of stop()", "dualstream_events_failed_reason_total",
     "stopped", false},
    {Counter::failed_maybe_persisted, "failed_maybe_persisted",
     "failed events that may stand in the log all the same",
     "dualstream_events_failed_maybe_persisted_total", "", false},
    {Counter::delivered_bytes, "delivered_bytes",
     "bytes of keys and payloads of the delivered events", "dualstream_delivered_bytes_total", "",
     false},
    {Counter::batches, "batches", "batches handed to the Kafka client",
     "dualstream_kafka_batches_total", "", false},
    {Counter::retried_batches, "retried_batches",
     "batches that the Kafka client did not take whole", "dualstream_kafka_batches_retried_total",
     "", false},
    {Counter::callback_exceptions, "callback_exceptions", "exceptions thrown by on_outcomes",
     "dualstream_callback_exceptions_total", "", false},
    {Counter::kafka_errors, "kafka_errors", "errors that the Kafka client reported by itself",
     "dualstream_kafka_errors_total", "", false},
    {Counter::producer_rebuilds, "producer_rebuilds",
     "times that a fatal error made the engine replace the Kafka client",
     "dualstream_kafka_producer_rebuilds_total", "", false},
    {Counter::announced, "announced", "notifications made: one per event and channel template",
     "dualstream_notifications_announced_total", "", false},
    {Counter::notified, "notified", "notifications in frames that Redis answered",
     "dualstream_notifications_notified_total", "", false},
    {Counter::dropped_overflow, "dropped_overflow",
     "notifications dropped because too many were held, the oldest first",
     "dualstream_notifications_dropped_total", "overflow", false},
    {Counter::dropped_refused, "dropped_refused",
     "notifications that Redis refused for missing rights",
     "dualstream_notifications_dropped_total", "refused", false},
    {Counter::dropped_error, "dropped_error", "notifications that Redis answered with an error",
     "dualstream_notifications_dropped_total", "error", false},
    {Counter::dropped_stopped, "dropped_stopped", "notifications left over at stop",
     "dualstream_notifications_dropped_total", "stopped", false},
    {Counter::unconfirmed, "unconfirmed",
     "notifications written to a connection that broke before Redis answered",
     "dualstream_notifications_unconfirmed_total", "", false},
    {Counter::frames, "frames", "frames that Redis answered: PUBLISH commands",
     "dualstream_redis_frames_total", "", false},
    {Counter::receivers, "receivers", "subscribers that Redis said it gave frames to",
     "dualstream_redis_receivers_total", "", false},
    {Counter::redis_connects, "redis_connects", "connections to Redis that became ready",
     "dualstream_redis_connects_total", "", false},
    {Counter::redis_disconnects, "redis_disconnects", "connections to Redis that were lost",
     "dualstream_redis_disconnects_total", "", false},
    {Counter::pending, "pending", "accepted events without an outcome", "dualstream_events_pending",
     "", true},
    {Counter::pending_bytes, "pending_bytes", "bytes of memory that pending events hold",
     "dualstream_events_pending_bytes", "", true},
    {Counter::pending_notifications, "pending_notifications",
     "notifications held or written without an answer", "dualstream_notifications_pending", "",
     true},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kCounterInfos.size(); ++i) {
    if (static_cast<std::size_t>(kCounterInfos[i].counter) != i) return false;
  }
  return true;
}
static_assert(in_order(), "the table stands in the order of the enumeration");

}  // namespace

const std::array<CounterInfo, kCounterCount>& counter_infos() noexcept { return kCounterInfos; }

Counter counter_of(Failure failure) noexcept {
  switch (failure) {
    case Failure::timed_out:
      return Counter::failed_timed_out;
    case Failure::too_large:
      return Counter::failed_too_large;
    case Failure::unknown_topic:
      return Counter::failed_unknown_topic;
    case Failure::unauthorized:
      return Counter::failed_unauthorized;
    case Failure::stopped:
      return Counter::failed_stopped;
    case Failure::rejected:
    case Failure::none:
      break;
  }
  return Counter::failed_rejected;
}

Counter counter_of(PublishResult result) noexcept {
  switch (result) {
    case PublishResult::full:
      return Counter::refused_full;
    case PublishResult::too_large:
      return Counter::refused_too_large;
    case PublishResult::stopping:
      return Counter::refused_stopping;
    case PublishResult::invalid:
    case PublishResult::accepted:
      break;
  }
  return Counter::refused_invalid;
}

std::uint64_t Stats::refused() const noexcept {
  const Stats& self = *this;
  return self[Counter::refused_full] + self[Counter::refused_too_large] +
         self[Counter::refused_invalid] + self[Counter::refused_stopping];
}

std::uint64_t Stats::dropped() const noexcept {
  const Stats& self = *this;
  return self[Counter::dropped_overflow] + self[Counter::dropped_refused] +
         self[Counter::dropped_error] + self[Counter::dropped_stopped];
}

bool Stats::balances() const noexcept {
  const Stats& self = *this;
  return self[Counter::offered] == self[Counter::accepted] + refused() &&
         self[Counter::accepted] ==
             self[Counter::delivered] + self[Counter::failed] + self[Counter::pending] &&
         self[Counter::failed] ==
             self[Counter::failed_timed_out] + self[Counter::failed_too_large] +
                 self[Counter::failed_unknown_topic] + self[Counter::failed_unauthorized] +
                 self[Counter::failed_rejected] + self[Counter::failed_stopped] &&
         self[Counter::announced] == self[Counter::notified] + dropped() +
                                         self[Counter::unconfirmed] +
                                         self[Counter::pending_notifications];
}

}  // namespace dualstream
