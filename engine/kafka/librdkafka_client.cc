#include "kafka/librdkafka_client.h"

#include <algorithm>
#include <array>

namespace dualstream::kafka {
namespace {

// Room for a record batch's own header and for one record's overhead, above key and value.
constexpr std::size_t kBatchHeaderBytes = 512;

// The Batcher estimates a record's overhead; the client counts it exactly, and has to send what it
// is handed in one request even where the estimate is a few bytes short for each of a batch's
// records.
constexpr std::size_t with_room(std::size_t bytes) {
  return bytes + bytes / 256 + kBatchHeaderBytes;
}

struct Setting {
  const char* name;
  std::string value;
};

std::array<Setting, 16> engine_settings(const KafkaOptions& options) {
  const std::size_t message_bytes_max =
      with_room(std::max(options.event_bytes_max, options.batch_bytes_max));
  return {{
      {"bootstrap.servers", options.brokers},
      {"client.id", "dualstream"},
      {"enable.idempotence", "true"},
      {"acks", "all"},
      // Batching is the Batcher's: this is only as long as the largest hand-over takes. With less
      // the client's thread wakes in the middle of it and sends it as two requests: at a distance
      // it spins while the second waits (docs/benchmarks.md, "Tried").
      {"linger.ms", "0.5"},
      {"batch.num.messages", std::to_string(options.batch_events_max)},
      {"batch.size", std::to_string(with_room(options.batch_bytes_max))},
      {"message.max.bytes", std::to_string(message_bytes_max)},
      // The Batcher bounds what the client holds, far below these; so it never refuses for want of
      // room.
      {"queue.buffering.max.messages", "10000000"},
      {"queue.buffering.max.kbytes", "2097151"},
      {"message.timeout.ms", std::to_string(options.delivery_timeout.count())},
      // 60 s by default: for so long would a frozen broker hold what is in flight, and a client's
      // thread spin.
      {"socket.timeout.ms", "10000"},
      {"socket.nagle.disable", "true"},
      // 10 s by default: longer than a broker's restart. Less than a second would ask a broker that
      // does not let us in more than once a second: the client knows no other pause for that.
      {"reconnect.backoff.max.ms", "1000"},
      // 5 min by default: for so long would new partitions go unnoticed.
      {"topic.metadata.refresh.interval.ms", "5000"},
      {"log.queue", "true"},
  }};
}

Status set(rd_kafka_conf_t& conf, const char* name, const std::string& value) {
  std::array<char, 512> error{};
  if (rd_kafka_conf_set(&conf, name, value.c_str(), error.data(), error.size()) ==
      RD_KAFKA_CONF_OK) {
    return {};
  }
  return Status::error(StatusCode::invalid_options,
                       std::string{"kafka.properties: librdkafka refuses "} + name + ": " +
                           error.data() +
                           "; see librdkafka's CONFIGURATION.md for names and values",
                       "kafka.properties");
}

}  // namespace

Status make_producer_conf(const KafkaOptions& options, Owned<rd_kafka_conf_t>& conf) {
  conf.reset(rd_kafka_conf_new());
  rd_kafka_conf_set_events(conf.get(),
                           RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
  for (const Setting& setting : engine_settings(options)) {
    if (Status status = set(*conf, setting.name, setting.value); !status.ok()) return status;
  }
  for (const auto& [name, value] : options.properties) {
    if (Status status = set(*conf, name.c_str(), value); !status.ok()) return status;
  }
  return {};
}

Status make_consumer_conf(const KafkaOptions& options, Owned<rd_kafka_conf_t>& conf) {
  conf.reset(rd_kafka_conf_new());
  const std::array<Setting, 14> settings{{
      {"bootstrap.servers", options.brokers},
      {"client.id", "dualstream-reader"},
      {"enable.auto.commit", "false"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},
      // Ends are asked for without regard to transactions, so reads have to be too.
      {"isolation.level", "read_uncommitted"},
      // A request that waits at the end of one partition would hold up the next for 500 ms.
      {"fetch.wait.max.ms", "10"},
      {"fetch.error.backoff.ms", "100"},
      {"queued.min.messages", "10000"},
      {"queued.max.messages.kbytes", "16384"},
      {"socket.timeout.ms", "10000"},
      {"reconnect.backoff.max.ms", "1000"},
      {"topic.metadata.refresh.interval.ms", "5000"},
      {"log_level", "0"},  // Its state is known from what its calls return.
  }};
  for (const Setting& setting : settings) {
    if (Status status = set(*conf, setting.name, setting.value); !status.ok()) return status;
  }
  for (const auto& [name, value] : options.properties) {
    // These are the writing side's, and mean nothing or something else here.
    if (name == "acks" || name == "request.required.acks" || name == "enable.idempotence") continue;
    if (Status status = set(*conf, name.c_str(), value); !status.ok()) return status;
  }
  return {};
}

Failure failure_of(rd_kafka_resp_err_t error) noexcept {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return Failure::none;
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
      return Failure::timed_out;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      return Failure::too_large;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return Failure::unknown_topic;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return Failure::unauthorized;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
      return Failure::stopped;
    default:
      return Failure::rejected;
  }
}

NoticeKind notice_kind_of(rd_kafka_resp_err_t error) noexcept {
  switch (error) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
      return NoticeKind::unreachable;
    case RD_KAFKA_RESP_ERR__SSL:
      return NoticeKind::unauthorized;
    default:
      break;
  }
  switch (failure_of(error)) {
    case Failure::unauthorized:
      return NoticeKind::unauthorized;
    case Failure::unknown_topic:
      return NoticeKind::topic;
    default:
      return NoticeKind::error;
  }
}

}  // namespace dualstream::kafka
