#include "raw_kafka.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "full_speed.h"
#include "kafka/partitioner.h"
#include "pace.h"

namespace dualstream::bench {
namespace {

constexpr std::size_t kBatch = 1'000;
void* as_mutable(std::string_view text) {
  return const_cast<char*>(
      text.data());  // tidy: allow(const_cast) librdkafka only reads, but its type has no const
}

}  // namespace

struct RawKafka::Client {
  rd_kafka_t* kafka = nullptr;
  rd_kafka_topic_t* topic = nullptr;
  rd_kafka_queue_t* events = nullptr;
  std::vector<std::vector<rd_kafka_message_t>> batches;
  std::size_t outstanding = 0;
  std::size_t acknowledged = 0;
  const Pace* pace = nullptr;                // When events are due, and
  std::vector<double>* latencies = nullptr;  // how much later they were acknowledged.

  void poll(int timeout_ms) {
    rd_kafka_event_t* event = rd_kafka_queue_poll(events, timeout_ms);
    if (event == nullptr) return;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
      while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) ++acknowledged;
        if (pace != nullptr) {
          const auto index = reinterpret_cast<std::uintptr_t>(message->_private);
          latencies->push_back(pace->late_seconds(index));
        }
        outstanding -= 1;
      }
    }
    rd_kafka_event_destroy(event);
  }

  void send(std::size_t partition) {
    std::vector<rd_kafka_message_t>& batch = batches[partition];
    if (batch.empty()) return;
    while (outstanding + batch.size() > kOnTheWayMax) poll(10);
    const int taken = rd_kafka_produce_batch(topic, static_cast<std::int32_t>(partition),
                                             RD_KAFKA_MSG_F_PARTITION, batch.data(),
                                             static_cast<int>(batch.size()));
    if (static_cast<std::size_t>(taken) != batch.size())
      throw std::runtime_error{"librdkafka did not take a batch"};
    outstanding += batch.size();
    batch.clear();
    poll(0);
  }

  // Returns its partition.
  std::size_t add(const EventView& event) {
    const auto partition = static_cast<std::size_t>(
        kafka::partition_of(event.source_id, static_cast<std::int32_t>(batches.size())));
    rd_kafka_message_t& message = batches[partition].emplace_back();
    message = {};
    message.payload = as_mutable(event.payload);
    message.len = event.payload.size();
    message.key = as_mutable(event.source_id);
    message.key_len = event.source_id.size();
    message.partition = static_cast<std::int32_t>(partition);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an opaque is what its owner makes of it.
    message._private = reinterpret_cast<void*>(static_cast<std::uintptr_t>(event.tag));
    return partition;
  }

  void send_all() {
    for (std::size_t partition = 0; partition < batches.size(); ++partition) send(partition);
  }

  void finish() {
    send_all();
    while (outstanding > 0) poll(10);
  }
};

RawKafka::RawKafka(const std::string& brokers, const std::string& topic, int linger_ms)
    : client_(std::make_unique<Client>()) {
  std::array<char, 512> error{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const std::string linger = std::to_string(linger_ms);
  const std::string on_the_way_max = std::to_string(kOnTheWayMax);
  const std::array<std::pair<const char*, const char*>, 6> settings{
      {{"bootstrap.servers", brokers.c_str()},
       {"enable.idempotence", "true"},
       {"acks", "all"},
       {"linger.ms", linger.c_str()},
       {"queue.buffering.max.messages", on_the_way_max.c_str()},
       {"socket.nagle.disable", "true"}}};
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name, value, error.data(), error.size()) != RD_KAFKA_CONF_OK) {
      throw std::runtime_error{error.data()};
    }
  }
  rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  client_->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error.data(), error.size());
  if (client_->kafka == nullptr) throw std::runtime_error{error.data()};
  client_->events = rd_kafka_queue_get_main(client_->kafka);
  client_->topic = rd_kafka_topic_new(client_->kafka, topic.c_str(), nullptr);
  // A topic that was just made may not be known everywhere yet.
  const std::string unknown = "no broker at " + brokers + " knows the topic " + topic;
  for (int tries = 0; client_->batches.empty(); ++tries) {
    const rd_kafka_metadata_t* metadata = nullptr;
    if (tries == 100 || rd_kafka_metadata(client_->kafka, 0, client_->topic, &metadata, 10'000) !=
                            RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw std::runtime_error{unknown};
    }
    client_->batches.resize(static_cast<std::size_t>(metadata->topics[0].partition_cnt));
    rd_kafka_metadata_destroy(metadata);
    if (client_->batches.empty()) std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
}

RawKafka::~RawKafka() {
  rd_kafka_topic_destroy(client_->topic);
  rd_kafka_queue_destroy(client_->events);
  rd_kafka_destroy(client_->kafka);
}

std::size_t RawKafka::publish(const Workload& workload) {
  Client& client = *client_;
  client.acknowledged = 0;
  for (std::size_t i = 0; i < workload.size(); ++i) {
    const std::size_t partition = client.add(workload.event(i));
    if (client.batches[partition].size() == kBatch) client.send(partition);
  }
  client.finish();
  return client.acknowledged;
}

std::size_t RawKafka::publish_paced(const Workload& workload, double rate,
                                    std::vector<double>& latencies) {
  Client& client = *client_;
  client.acknowledged = 0;
  const Pace pace{rate};
  client.pace = &pace;
  client.latencies = &latencies;
  for (std::size_t i = 0; i < workload.size();) {
    const std::size_t due = std::min(workload.size(), pace.due_events());
    for (; i < due; ++i) client.add(workload.event(i));
    client.send_all();
    client.poll(1);
  }
  client.finish();
  client.pace = nullptr;
  return client.acknowledged;
}

void make_topic(const std::string& brokers, const std::string& topic, int partitions) {
  std::array<char, 512> error{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", brokers.c_str(), error.data(), error.size());
  rd_kafka_t* kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error.data(), error.size());
  if (kafka == nullptr) throw std::runtime_error{error.data()};
  rd_kafka_NewTopic_t* wanted =
      rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, error.data(), error.size());
  // Short retention, so that a long series of runs does not fill the disk.
  rd_kafka_NewTopic_set_config(wanted, "retention.bytes", "268435456");
  rd_kafka_NewTopic_set_config(wanted, "segment.bytes", "67108864");
  rd_kafka_queue_t* answers = rd_kafka_queue_new(kafka);
  rd_kafka_CreateTopics(kafka, &wanted, 1, nullptr, answers);
  rd_kafka_event_t* answer = rd_kafka_queue_poll(answers, 15'000);
  const bool answered =
      answer != nullptr && rd_kafka_event_error(answer) == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (answer != nullptr) rd_kafka_event_destroy(answer);
  rd_kafka_queue_destroy(answers);
  rd_kafka_NewTopic_destroy(wanted);
  rd_kafka_destroy(kafka);
  if (!answered) throw std::runtime_error{"no broker answered at " + brokers};
}

}  // namespace dualstream::bench
