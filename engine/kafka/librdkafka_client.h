// The one place that names librdkafka: its handles as owners that close themselves, and its errors
// in our words.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <librdkafka/rdkafka.h>

#include "dualstream/options.h"
#include "dualstream/outcome.h"
#include "dualstream/status.h"
#include "kafka/kafka_producer.h"

namespace dualstream::kafka {

struct LibrdkafkaDeleter {
  void operator()(rd_kafka_conf_t* conf) const noexcept { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_t* client) const noexcept { rd_kafka_destroy(client); }
  void operator()(rd_kafka_topic_t* topic) const noexcept { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_queue_t* queue) const noexcept { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const noexcept { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_AdminOptions_t* options) const noexcept {
    rd_kafka_AdminOptions_destroy(options);
  }
  void operator()(rd_kafka_ConfigResource_t* resource) const noexcept {
    rd_kafka_ConfigResource_destroy(resource);
  }
  void operator()(const rd_kafka_metadata_t* metadata) const noexcept {
    rd_kafka_metadata_destroy(metadata);
  }
};
template <typename T>
using Owned = std::unique_ptr<T, LibrdkafkaDeleter>;

// A configuration for a producer as `options` say: what the engine owns first, then
// kafka.properties.
[[nodiscard]] Status make_producer_conf(const KafkaOptions& options, Owned<rd_kafka_conf_t>& conf);

// The same for a reader: properties of a producer in kafka.properties have no effect on it.
[[nodiscard]] Status make_consumer_conf(const KafkaOptions& options, Owned<rd_kafka_conf_t>& conf);

// What Kafka's error means for the caller.
[[nodiscard]] Failure failure_of(rd_kafka_resp_err_t error) noexcept;

// What an error that the client reports by itself is about.
[[nodiscard]] NoticeKind notice_kind_of(rd_kafka_resp_err_t error) noexcept;

}  // namespace dualstream::kafka
