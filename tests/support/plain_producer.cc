#include "support/plain_producer.h"

#include <array>
#include <stdexcept>
#include <utility>

#include <librdkafka/rdkafka.h>

namespace dualstream::testing {

struct PlainProducer::Client {
  rd_kafka_t* kafka = nullptr;
  std::string topic;
  std::vector<Outcome> outcomes;
};

namespace {

// The tag travels as the message's opaque.
void on_report(rd_kafka_t* /*kafka*/, const rd_kafka_message_t* message, void* outcomes) {
  const bool delivered = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
  static_cast<std::vector<Outcome>*>(outcomes)->push_back(
      {.kind = delivered ? OutcomeKind::delivered : OutcomeKind::failed,
       .persisted = rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED
                        ? Persisted::no
                        : Persisted::maybe,
       .partition = message->partition,
       .offset = message->offset,
       .tag = reinterpret_cast<std::uintptr_t>(message->_private),
       .detail = {},
       .event = {}});
}

}  // namespace

PlainProducer::PlainProducer(const std::string& brokers, const std::string& topic)
    : client_{std::make_unique<Client>()} {
  client_->topic = topic;
  std::array<char, 512> error{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] :
       {std::pair{"bootstrap.servers", brokers.c_str()}, std::pair{"enable.idempotence", "true"},
        std::pair{"partitioner", "murmur2"}, std::pair{"linger.ms", "1"},
        std::pair{"socket.timeout.ms", "5000"}, std::pair{"reconnect.backoff.max.ms", "500"},
        std::pair{"log_level", "2"}}) {
    if (rd_kafka_conf_set(conf, name, value, error.data(), error.size()) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      throw std::runtime_error{error.data()};
    }
  }
  rd_kafka_conf_set_dr_msg_cb(conf, on_report);
  rd_kafka_conf_set_opaque(conf, &client_->outcomes);
  client_->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error.data(), error.size());
  if (client_->kafka == nullptr) {
    rd_kafka_conf_destroy(conf);
    throw std::runtime_error{error.data()};
  }
}

PlainProducer::~PlainProducer() { rd_kafka_destroy(client_->kafka); }

void PlainProducer::send(const VerifyingEvent& event) {
  while (true) {
    const rd_kafka_resp_err_t error = rd_kafka_producev(
        client_->kafka, RD_KAFKA_V_TOPIC(client_->topic.c_str()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(event.source_id.data(), event.source_id.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(event.payload.data()), event.payload.size()),
        // NOLINTNEXTLINE(performance-no-int-to-ptr): comes back as a number; never followed.
        RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(event.view().tag)), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_poll(client_->kafka, 0);
      return;
    }
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      throw std::runtime_error{std::string{"produce: "} + rd_kafka_err2str(error)};
    }
    rd_kafka_poll(client_->kafka, 10);
  }
}

std::vector<Outcome> PlainProducer::finish() {
  if (rd_kafka_flush(client_->kafka, 60'000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw std::runtime_error{"Kafka has not answered for every event within 60 s"};
  }
  return std::exchange(client_->outcomes, {});
}

}  // namespace dualstream::testing
