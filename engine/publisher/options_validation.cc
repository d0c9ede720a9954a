// validate() checks every field of Options before any thread starts.
#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "dualstream/options.h"
#include "event/event_parser.h"
#include "event/event_queue.h"
#include "redis/redis_settings.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;

Status invalid(std::string_view field, std::string_view value, std::string_view rule) {
  std::string message{field};
  message.append(" = `").append(value).append("`: ").append(rule);
  return Status::error(StatusCode::invalid_options, std::move(message), std::string{field});
}

template <typename T>
Status in_range(std::string_view field, T value, T min, T max) {
  if (value >= min && value <= max) return {};
  return invalid(field, std::to_string(value),
                 "has to be from " + std::to_string(min) + " to " + std::to_string(max));
}

Status in_range(std::string_view field, milliseconds value, milliseconds min, milliseconds max) {
  if (value >= min && value <= max) return {};
  return invalid(field, std::to_string(value.count()) + " ms",
                 "has to be from " + std::to_string(min.count()) + " to " +
                     std::to_string(max.count()) + " ms");
}

// "host:port", "[v6]:port" or "host"; librdkafka takes a missing port as 9092.
bool looks_like_broker(std::string_view broker) {
  const std::size_t scheme = broker.find("://");  // librdkafka allows "SASL_SSL://host:port".
  if (scheme != std::string_view::npos) broker.remove_prefix(scheme + 3);
  const std::size_t colon = broker.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && broker.find(']', colon) == std::string_view::npos;
  const std::string_view host = has_port ? broker.substr(0, colon) : broker;
  if (host.empty() || host.find_first_of(" \t/\"'") != std::string_view::npos) return false;
  if (!has_port) return true;
  const std::string_view digits = broker.substr(colon + 1);
  unsigned port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return parsed.ec == std::errc{} && parsed.ptr == digits.data() + digits.size() && port > 0 &&
         port < 65'536;
}

Status check_brokers(std::string_view brokers) {
  if (brokers.empty()) {
    return Status::error(StatusCode::invalid_options,
                         "kafka.brokers is empty; give at least one broker as host:port",
                         "kafka.brokers");
  }
  for (std::string_view rest = brokers; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view broker = rest.substr(0, comma);
    if (!looks_like_broker(broker)) {
      return invalid("kafka.brokers", brokers,
                     "each broker has to be host:port, with commas between them");
    }
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  return {};
}

// Kafka's own rule (org.apache.kafka.common.internals.Topic); the client would send anything.
Status check_topic(std::string_view topic) {
  constexpr std::string_view kRule =
      "a topic is 1 to 249 of the characters A-Z a-z 0-9 . _ - and neither . nor ..";
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (topic.empty()) {
    return Status::error(StatusCode::invalid_options,
                         "kafka.topic is empty; name the topic to publish to", "kafka.topic");
  }
  if (topic.size() > 249 || topic == "." || topic == ".." || !std::ranges::all_of(topic, allowed)) {
    return invalid("kafka.topic", topic, kRule);
  }
  return {};
}

// Properties that the engine sets for itself, and what to use instead.
struct OwnedProperty {
  std::string_view name;
  std::string_view instead;
};
constexpr auto kOwnedProperties = std::to_array<OwnedProperty>({
    {"bootstrap.servers", "use kafka.brokers"},
    {"metadata.broker.list", "use kafka.brokers"},
    {"linger.ms", "use kafka.linger"},
    {"queue.buffering.max.ms", "use kafka.linger"},
    {"batch.num.messages", "use kafka.batch_events_max"},
    {"batch.size", "use kafka.batch_bytes_max"},
    {"message.max.bytes", "use kafka.event_bytes_max"},
    {"message.timeout.ms", "use kafka.delivery_timeout"},
    {"delivery.timeout.ms", "use kafka.delivery_timeout"},
    {"queue.buffering.max.messages", "use queue.events_max"},
    {"queue.buffering.max.kbytes", "use queue.bytes_max"},
    {"partitioner", "the engine chooses partitions as Kafka's Java client does"},
    {"sticky.partitioning.linger.ms", "the engine chooses partitions as Kafka's Java client does"},
    {"delivery.report.only.error", "the engine needs every report"},
    {"log.queue", "use on_log"},
    {"transactional.id", "the engine does not use transactions"},
    {"max.in.flight", "the engine keeps one batch of a partition under way"},
    {"max.in.flight.requests.per.connection",
     "the engine keeps one batch of a partition under way"},
});

Status check_property(std::string_view name, std::string_view value, bool allow_unsafe) {
  if (name.empty())
    return Status::error(StatusCode::invalid_options, "kafka.properties: a name is empty",
                         "kafka.properties");
  for (const OwnedProperty& owned : kOwnedProperties) {
    if (name == owned.name) {
      return Status::error(StatusCode::invalid_options,
                           "kafka.properties: `" + std::string{name} + "` is the engine's own; " +
                               std::string{owned.instead},
                           "kafka.properties");
    }
  }
  if (allow_unsafe) return {};
  const bool weakens_acks =
      (name == "acks" || name == "request.required.acks") && value != "all" && value != "-1";
  const bool weakens_idempotence = name == "enable.idempotence" && value != "true";
  if (weakens_acks || weakens_idempotence) {
    Status unsafe =
        invalid("kafka.properties: " + std::string{name}, value,
                "events could be lost or doubled; set kafka.allow_unsafe if that is wanted");
    unsafe.field = "kafka.properties";
    return unsafe;
  }
  return {};
}

Status first_error(std::initializer_list<Status> checks) {
  for (const Status& check : checks) {
    if (!check.ok()) return check;
  }
  return {};
}

Status validate_kafka(const KafkaOptions& kafka) {
  Status status = first_error({
      check_brokers(kafka.brokers),
      check_topic(kafka.topic),
      in_range("kafka.linger", kafka.linger, milliseconds{0}, milliseconds{60'000}),
      in_range<std::size_t>("kafka.batch_events_max", kafka.batch_events_max, 1, 100'000),
      in_range<std::size_t>("kafka.batch_bytes_max", kafka.batch_bytes_max, 1024, 64U << 20),
      in_range<std::size_t>("kafka.clients", kafka.clients, 1, 16),
      in_range<std::size_t>("kafka.event_bytes_max", kafka.event_bytes_max, 1, 64U << 20),
      in_range("kafka.delivery_timeout", kafka.delivery_timeout, milliseconds{1'000},
               milliseconds{86'400'000}),
      in_range("kafka.open_timeout", kafka.open_timeout, milliseconds{0}, milliseconds{600'000}),
  });
  for (const auto& [name, value] : kafka.properties) {
    if (!status.ok()) break;
    status = check_property(name, value, kafka.allow_unsafe);
  }
  return status;
}

Status validate_redis(const RedisOptions& redis) {
  Status status = first_error({
      in_range<std::size_t>("redis.buckets", redis.buckets, 1, 65'536),
      in_range("redis.linger", redis.linger, milliseconds{0}, milliseconds{60'000}),
      in_range("redis.linger_max", redis.linger_max, milliseconds{0}, milliseconds{60'000}),
      in_range<std::size_t>("redis.frame_events_max", redis.frame_events_max, 1, 65'536),
      in_range<std::size_t>("redis.frame_bytes_max", redis.frame_bytes_max, 256, 64U << 20),
      in_range<std::size_t>("redis.window_frames_max", redis.window_frames_max, 1, 65'536),
      in_range<std::size_t>("redis.notifications_max", redis.notifications_max, 64, 1U << 24),
      in_range<std::size_t>("redis.notification_bytes_max", redis.notification_bytes_max, 64 * 1024,
                            std::size_t{1} << 34),
      in_range<std::size_t>("redis.sources_remembered_max", redis.sources_remembered_max, 1,
                            1U << 24),
      in_range("redis.connect_timeout", redis.connect_timeout, milliseconds{1},
               milliseconds{600'000}),
      in_range("redis.reply_timeout", redis.reply_timeout, milliseconds{1}, milliseconds{600'000}),
  });
  if (!status.ok() || redis.address.empty()) return status;
  redis::RedisSettings unused;
  return redis::read_redis_options(redis, unused);
}

Status validate_queue(const Options& options) {
  const QueueOptions& queue = options.queue;
  Status status = first_error({
      in_range<std::size_t>("queue.events_max", queue.events_max, 1, event::EventQueue::kEventsMax),
      in_range<std::size_t>("queue.bytes_max", queue.bytes_max, 64 * 1024,
                            event::EventQueue::kBytesMax),
  });
  if (status.ok() && queue.bytes_max < 2 * options.kafka.event_bytes_max) {
    return invalid("queue.bytes_max", std::to_string(queue.bytes_max),
                   "has to hold two events of kafka.event_bytes_max (" +
                       std::to_string(options.kafka.event_bytes_max) +
                       " bytes); raise it or lower that");
  }
  return status;
}

Status validate_json(const JsonOptions& json) {
  return first_error({
      event::validate_fields(json),
      in_range<std::size_t>("json.line_bytes_max", json.line_bytes_max, 1024, 64U << 20),
      in_range<std::size_t>("json.depth_max", json.depth_max, 1, 1024),
  });
}

}  // namespace

Status validate(const Options& options) {
  return first_error({
      validate_kafka(options.kafka),
      validate_redis(options.redis),
      validate_queue(options),
      validate_json(options.json),
      in_range("close_timeout", options.close_timeout, milliseconds{0}, milliseconds{3'600'000}),
  });
}

}  // namespace dualstream
