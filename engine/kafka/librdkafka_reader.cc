#include "kafka/librdkafka_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "kafka/librdkafka_client.h"

namespace dualstream::kafka {
namespace {

using std::chrono::milliseconds;

// A read that begins so little behind the last one goes on in it: what lies between is skipped.
constexpr std::int64_t kSkipMax = 5'000;
// Partitions that are fetched ahead at once.
constexpr std::size_t kOpenMax = 64;

struct FreeMessage {
  void operator()(rd_kafka_message_t* message) const noexcept { rd_kafka_message_destroy(message); }
};
using Message = std::unique_ptr<rd_kafka_message_t, FreeMessage>;

int in_ms(base::Duration duration) {
  return static_cast<int>(
      std::max<std::int64_t>(1, std::chrono::duration_cast<milliseconds>(duration).count()));
}

Status status_of(rd_kafka_resp_err_t error, const std::string& what) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  StatusCode code = StatusCode::unreachable;
  switch (notice_kind_of(error)) {
    case NoticeKind::unauthorized:
      code = StatusCode::unauthorized;
      break;
    case NoticeKind::topic:
      code = StatusCode::unknown_topic;
      break;
    default:
      break;
  }
  return Status::error(code, what + ": " + rd_kafka_err2str(error));
}

class LibrdkafkaReader final : public KafkaReader {
 public:
  explicit LibrdkafkaReader(const KafkaOptions& options) : options_(options) {}

  ~LibrdkafkaReader() override { rest(); }

  [[nodiscard]] Status start() {
    Owned<rd_kafka_conf_t> conf;
    if (Status status = make_consumer_conf(options_, conf); !status.ok()) return status;
    std::array<char, 512> error{};
    client_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), error.data(), error.size()));
    if (!client_) {
      const bool exhausted = rd_kafka_last_error() == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
      return Status::error(exhausted ? StatusCode::exhausted : StatusCode::invalid_options,
                           std::string{"kafka.properties: librdkafka cannot start a reader: "} +
                               error.data() + "; correct the property that it names");
    }
    static_cast<void>(conf.release());  // The client owns it now.
    topic_.reset(rd_kafka_topic_new(client_.get(), options_.topic.c_str(), nullptr));
    if (!topic_) {
      return Status::error(StatusCode::invalid_options,
                           "kafka.topic: librdkafka refuses `" + options_.topic +
                               "`: " + rd_kafka_err2str(rd_kafka_last_error()));
    }
    return {};
  }

  [[nodiscard]] Status partitions(base::Duration timeout, std::int32_t& count) override {
    const rd_kafka_metadata_t* answer = nullptr;
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(client_.get(), 0, topic_.get(), &answer, in_ms(timeout));
    const Owned<const rd_kafka_metadata_t> metadata{answer};
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(error, "no answer for the topic");
    if (metadata->topic_cnt != 1) return Status::error(StatusCode::unknown_topic, "no such topic");
    const rd_kafka_metadata_topic_t& topic = metadata->topics[0];
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return status_of(topic.err, "topic `" + options_.topic + "`");
    }
    count = topic.partition_cnt;
    return {};
  }

  [[nodiscard]] Status bounds(std::int32_t partition, base::Duration timeout,
                              PartitionBounds& bounds) override {
    return failed(rd_kafka_query_watermark_offsets(client_.get(), options_.topic.c_str(), partition,
                                                   &bounds.begin, &bounds.end, in_ms(timeout)),
                  "no answer for the offsets of partition " + std::to_string(partition));
  }

  [[nodiscard]] Status offset_at(std::int32_t partition, std::int64_t timestamp_ms,
                                 base::Duration timeout, std::int64_t& offset) override {
    const std::unique_ptr<rd_kafka_topic_partition_list_t,
                          decltype(&rd_kafka_topic_partition_list_destroy)>
        list{rd_kafka_topic_partition_list_new(1), rd_kafka_topic_partition_list_destroy};
    rd_kafka_topic_partition_t* asked =
        rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), partition);
    asked->offset = timestamp_ms;
    const rd_kafka_resp_err_t error =
        rd_kafka_offsets_for_times(client_.get(), list.get(), in_ms(timeout));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR || asked->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return failed(error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : asked->err,
                    "no answer for the time in partition " + std::to_string(partition));
    }
    offset = asked->offset;
    if (offset >= 0) return {};
    PartitionBounds all;
    Status status = bounds(partition, timeout, all);
    offset = all.end;
    return status;
  }

  [[nodiscard]] Status read(const ReadRequest& request, base::Duration timeout,
                            ReadAnswer& answer) override {
    answer = {.records = {}, .next = request.from, .begin = -1};
    if (Status status = open_at(request.partition, request.from); !status.ok()) return status;
    const base::TimePoint deadline = base::Clock::now() + timeout;
    std::size_t bytes = 0;
    while (answer.next < request.to && answer.records.size() < request.records_max &&
           bytes < request.bytes_max) {
      const base::Duration left = deadline - base::Clock::now();
      // What is here already is taken; waiting ends with the first record.
      if (left <= base::Duration::zero()) break;
      const int wait = answer.records.empty() ? in_ms(left) : 0;
      const Message message{rd_kafka_consume(topic_.get(), request.partition, wait)};
      if (!message) break;
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (take_end(*message, request, answer)) continue;
        return answer_to_error(*message, request, answer);
      }
      std::int64_t& position = positions_[request.partition];
      position = message->offset + 1;
      if (message->offset < request.from) continue;
      answer.next = std::min(message->offset + 1, request.to);
      if (message->offset >= request.to) {
        close(request.partition);  // The next read may want it.
        break;
      }
      bytes += message->len + message->key_len;
      answer.records.push_back(
          {.offset = message->offset,
           .timestamp_ms = rd_kafka_message_timestamp(message.get(), nullptr),
           .key = {static_cast<const char*>(message->key), message->key_len},
           .value = {static_cast<const char*>(message->payload), message->len}});
    }
    return {};
  }

  void rest() override {
    while (!positions_.empty()) close(positions_.begin()->first);
  }

 private:
  [[nodiscard]] Status failed(rd_kafka_resp_err_t error, const std::string& what) const {
    return status_of(error, what);
  }

  [[nodiscard]] Status open_at(std::int32_t partition, std::int64_t from) {
    const auto found = positions_.find(partition);
    if (found != positions_.end()) {
      const std::int64_t ahead = from - found->second;
      if (ahead >= 0 && ahead <= kSkipMax) return {};
      close(partition);
    }
    if (positions_.size() >= kOpenMax) close(positions_.begin()->first);
    if (rd_kafka_consume_start(topic_.get(), partition, from) != 0) {
      return failed(rd_kafka_last_error(),
                    "partition " + std::to_string(partition) + " cannot be read");
    }
    positions_[partition] = from;
    return {};
  }

  void close(std::int32_t partition) {
    rd_kafka_consume_stop(topic_.get(), partition);
    positions_.erase(partition);
  }

  // The partition's end, as it is now. Offsets before it without a record hold none.
  [[nodiscard]] bool take_end(const rd_kafka_message_t& message, const ReadRequest& request,
                              ReadAnswer& answer) {
    if (message.err != RD_KAFKA_RESP_ERR__PARTITION_EOF) return false;
    if (message.offset >= request.from) {
      answer.next = std::max(answer.next, std::min(message.offset, request.to));
    }
    return true;
  }

  [[nodiscard]] Status answer_to_error(const rd_kafka_message_t& message,
                                       const ReadRequest& request, ReadAnswer& answer) {
    const rd_kafka_resp_err_t error = message.err;
    close(request.partition);
    if (error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
      PartitionBounds all;
      Status status = bounds(request.partition, milliseconds{2'000}, all);
      if (status.ok() && all.begin > answer.next) answer.begin = all.begin;
      return status;
    }
    // What was read before it counts; the error comes again if it stays.
    if (!answer.records.empty()) return {};
    return failed(error, "partition " + std::to_string(request.partition) + " cannot be read");
  }

  const KafkaOptions options_;

  // In the order in which they have to be closed, from the last to the first.
  Owned<rd_kafka_t> client_;
  Owned<rd_kafka_topic_t> topic_;

  std::map<std::int32_t, std::int64_t> positions_;  // Of partitions that are being fetched.
};

}  // namespace

Status make_librdkafka_reader(const KafkaOptions& options, std::unique_ptr<KafkaReader>& reader) {
  auto made = std::make_unique<LibrdkafkaReader>(options);
  if (Status status = made->start(); !status.ok()) return status;
  reader = std::move(made);
  return {};
}

}  // namespace dualstream::kafka
