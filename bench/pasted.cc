#include "pasted.h"

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <hiredis.h>
#include <librdkafka/rdkafka.h>

namespace dualstream::bench {
namespace {

constexpr std::size_t kPipeline = 128;

struct FreeReply {
  void operator()(void* reply) const { freeReplyObject(reply); }
};
using ReplyPtr = std::unique_ptr<redisReply, FreeReply>;

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
using ContextPtr = std::unique_ptr<redisContext, FreeContext>;

ContextPtr connect(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  ContextPtr context{
      redisConnect(address.substr(0, colon).c_str(), std::atoi(address.c_str() + colon + 1))};
  if (context == nullptr || context->err != 0) throw std::runtime_error{"no redis at " + address};
  return context;
}

ReplyPtr next_reply(redisContext& context) {
  void* reply = nullptr;
  if (redisGetReply(&context, &reply) != REDIS_OK) throw std::runtime_error{context.errstr};
  return ReplyPtr{static_cast<redisReply*>(reply)};
}

}  // namespace

struct Pasted::Clients {
  Style style{};
  rd_kafka_t* kafka = nullptr;
  std::string topic;
  ContextPtr redis;
  const Workload* workload = nullptr;
  std::size_t acknowledged = 0;
  std::size_t piped = 0;

  // As text, like everyone's: an allocation for the channel and one for the message.
  void append_notification(const EventView& event) const {
    const std::string channel =
        "events:" + std::string{event.source_type} + ":" + std::string{event.source_id};
    const std::string message = R"({"id":")" + std::string{event.id} + R"(","type":")" +
                                std::string{event.type} + R"(","source":")" +
                                std::string{event.source_id} + R"("})";
    redisAppendCommand(redis.get(), "PUBLISH %b %b", channel.data(), channel.size(), message.data(),
                       message.size());
  }

  void read_pipeline() {
    for (; piped > 0; --piped) next_reply(*redis);
  }

  void produce(const EventView& event) const {
    for (;;) {
      const rd_kafka_resp_err_t error = rd_kafka_producev(
          kafka, RD_KAFKA_V_TOPIC(topic.c_str()),
          RD_KAFKA_V_KEY(event.source_id.data(), event.source_id.size()),
          RD_KAFKA_V_VALUE(const_cast<char*>(event.payload.data()),  // tidy: allow(const_cast) read
                           event.payload.size()),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          // NOLINTNEXTLINE(performance-no-int-to-ptr): an opaque is what its owner makes of it.
          RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::uintptr_t>(event.tag))),
          RD_KAFKA_V_END);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) throw std::runtime_error{rd_kafka_err2str(error)};
      rd_kafka_poll(kafka, 1);
    }
  }

  static void on_report(rd_kafka_t* /*kafka*/, const rd_kafka_message_t* message, void* opaque) {
    auto& clients = *static_cast<Clients*>(opaque);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    clients.acknowledged += 1;
    if (clients.style != Style::modern) return;
    clients.append_notification(
        clients.workload->event(reinterpret_cast<std::uintptr_t>(message->_private)));
    if (++clients.piped == kPipeline) clients.read_pipeline();
  }
};

Pasted::Pasted(const std::string& brokers, const std::string& topic, const std::string& redis,
               Style style, int linger_ms)
    : clients_(std::make_unique<Clients>()) {
  clients_->style = style;
  clients_->topic = topic;
  clients_->redis = connect(redis);
  std::array<char, 512> error{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const std::string linger = std::to_string(linger_ms);
  const std::array<std::pair<const char*, const char*>, 6> settings{
      {{"bootstrap.servers", brokers.c_str()},
       {"enable.idempotence", "true"},
       {"acks", "all"},
       {"linger.ms", linger.c_str()},
       {"partitioner", "murmur2_random"},
       {"queue.buffering.max.messages", "40000"}}};
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name, value, error.data(), error.size()) != RD_KAFKA_CONF_OK) {
      throw std::runtime_error{error.data()};
    }
  }
  rd_kafka_conf_set_opaque(conf, clients_.get());
  rd_kafka_conf_set_dr_msg_cb(conf, Clients::on_report);
  clients_->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error.data(), error.size());
  if (clients_->kafka == nullptr) throw std::runtime_error{error.data()};
}

Pasted::~Pasted() { rd_kafka_destroy(clients_->kafka); }

std::size_t Pasted::publish(const Workload& workload, std::size_t count) {
  Clients& clients = *clients_;
  clients.workload = &workload;
  clients.acknowledged = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const EventView event = workload.event(i);
    clients.produce(event);
    if (clients.style == Style::one_by_one) {
      while (clients.acknowledged < i + 1) rd_kafka_poll(clients.kafka, 10);
    }
    if (clients.style != Style::modern) {
      clients.append_notification(event);
      next_reply(*clients.redis);
    }
    rd_kafka_poll(clients.kafka, 0);
  }
  rd_kafka_flush(clients.kafka, 60'000);
  clients.read_pipeline();
  return clients.acknowledged;
}

}  // namespace dualstream::bench
