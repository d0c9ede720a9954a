#include "topic_reader.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include <librdkafka/rdkafka.h>

namespace dualstream::command {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kAnswerMs = 10'000;
constexpr std::chrono::seconds kSilenceMax{30};
constexpr std::size_t kBatch = 1'000;

Status failed(const std::string& what, const std::string& why) {
  return Status::error(StatusCode::unreachable, "cannot read the topic back: " + what + ": " + why);
}

// A leader is still to be found: the topic has just been made, or a broker has gone.
bool passes(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
         error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE || error == RD_KAFKA_RESP_ERR__TRANSPORT;
}

struct Watermarks {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

struct DestroyMessage {
  void operator()(rd_kafka_message_t* message) const noexcept { rd_kafka_message_destroy(message); }
};
using Message = std::unique_ptr<rd_kafka_message_t, DestroyMessage>;

bool is_record(const rd_kafka_message_t& message) {
  return message.err == RD_KAFKA_RESP_ERR_NO_ERROR;
}

// Whether nothing before `end` comes after it. The last offsets may be a gap, which only the end of
// the partition passes.
bool is_at_end(const rd_kafka_message_t& message, std::int64_t end) {
  if (is_record(message)) return message.offset + 1 >= end;
  return message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF && message.offset >= end;
}

TopicRecord record_of(const rd_kafka_message_t& message) {
  return {.partition = message.partition,
          .offset = message.offset,
          .key = {static_cast<const char*>(message.key), message.key_len},
          .value = {static_cast<const char*>(message.payload), message.len}};
}

}  // namespace

// The client library's objects, in the order in which they go.
class TopicReader::Client {
 public:
  [[nodiscard]] Status open(const KafkaOptions& options) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    // What it has to say comes as the result of a call; its log would cut into the figures.
    rd_kafka_conf_set_log_cb(conf, nullptr);
    std::vector<std::pair<std::string, std::string>> settings{
        {"bootstrap.servers", options.brokers}, {"client.id", "dualstream-verify"},
        {"enable.partition.eof", "true"},       {"check.crcs", "true"},
        {"auto.offset.reset", "earliest"},      {"queued.max.messages.kbytes", "65536"}};
    settings.insert(settings.end(), options.properties.begin(), options.properties.end());
    std::array<char, 512> error{};
    for (const auto& [name, value] : settings) {
      if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error.data(), error.size()) !=
          RD_KAFKA_CONF_OK) {
        rd_kafka_conf_destroy(conf);
        return failed(name, error.data());
      }
    }
    kafka_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error.data(), error.size());
    if (kafka_ == nullptr) {
      rd_kafka_conf_destroy(conf);
      return failed("the client did not start", error.data());
    }
    name_ = options.topic;
    topic_ = rd_kafka_topic_new(kafka_, name_.c_str(), nullptr);
    queue_ = rd_kafka_queue_new(kafka_);
    return {};
  }

  Client() = default;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() {
    if (queue_ != nullptr) rd_kafka_queue_destroy(queue_);
    if (topic_ != nullptr) rd_kafka_topic_destroy(topic_);
    if (kafka_ != nullptr) rd_kafka_destroy(kafka_);
  }

  [[nodiscard]] Status partitions(std::size_t& count) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t error = rd_kafka_metadata(kafka_, 0, topic_, &metadata, kAnswerMs);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(name_, rd_kafka_err2str(error));
    const rd_kafka_resp_err_t topic_error = metadata->topics[0].err;
    count = static_cast<std::size_t>(metadata->topics[0].partition_cnt);
    rd_kafka_metadata_destroy(metadata);
    if (topic_error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return failed(name_, rd_kafka_err2str(topic_error));
    }
    return {};
  }

  [[nodiscard]] Status watermarks(std::size_t partition, Watermarks& marks) {
    const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds{kAnswerMs};
    while (true) {
      const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
          kafka_, name_.c_str(), static_cast<std::int32_t>(partition), &marks.low, &marks.high,
          kAnswerMs);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
      if (!passes(error) || Clock::now() > deadline) {
        return failed("partition " + std::to_string(partition), rd_kafka_err2str(error));
      }
      // Serves the client meanwhile, which asks for the leader again.
      rd_kafka_poll(kafka_, 50);
    }
  }

  [[nodiscard]] Status start(std::size_t partition, std::int64_t offset) {
    if (rd_kafka_consume_start_queue(topic_, static_cast<std::int32_t>(partition), offset,
                                     queue_) == 0) {
      return {};
    }
    return failed("partition " + std::to_string(partition),
                  rd_kafka_err2str(rd_kafka_last_error()));
  }

  void stop(std::size_t partition) {
    // It fails only for what was not started.
    (void)rd_kafka_consume_stop(topic_, static_cast<std::int32_t>(partition));
  }

  // The messages are to be destroyed.
  [[nodiscard]] std::size_t read(std::array<rd_kafka_message_t*, kBatch>& messages) {
    const ssize_t count = rd_kafka_consume_batch_queue(queue_, 200, messages.data(), kBatch);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }

 private:
  std::string name_;
  rd_kafka_t* kafka_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
  rd_kafka_queue_t* queue_ = nullptr;
};

TopicReader::TopicReader(std::unique_ptr<Client> client) : client_(std::move(client)) {}
TopicReader::~TopicReader() = default;

Status TopicReader::open(const KafkaOptions& options, std::unique_ptr<TopicReader>& reader) {
  auto client = std::make_unique<Client>();
  if (Status status = client->open(options); !status.ok()) return status;
  std::size_t partitions = 0;
  if (Status status = client->partitions(partitions); !status.ok()) return status;
  std::vector<std::int64_t> begins;
  for (std::size_t partition = 0; partition < partitions; ++partition) {
    Watermarks marks;
    if (Status status = client->watermarks(partition, marks); !status.ok()) return status;
    begins.push_back(marks.high);
  }
  // tidy: allow(naked_new) the constructor is private
  reader.reset(new TopicReader{std::move(client)});
  reader->begins_ = std::move(begins);
  return {};
}

Status TopicReader::start_reading(std::vector<std::int64_t>& ends) {
  std::size_t partitions = 0;
  if (Status status = client_->partitions(partitions); !status.ok()) return status;
  const std::size_t known = begins_.size();
  begins_.resize(std::max(known, partitions));
  ends.resize(partitions);
  for (std::size_t partition = 0; partition < partitions; ++partition) {
    Watermarks marks;
    if (Status status = client_->watermarks(partition, marks); !status.ok()) return status;
    const std::int64_t begin = std::max(begins_[partition], marks.low);
    if (partition < known) expired_ += static_cast<std::uint64_t>(begin - begins_[partition]);
    if (begin >= marks.high) continue;
    if (Status status = client_->start(partition, begin); !status.ok()) return status;
    ends[partition] = marks.high;
  }
  return {};
}

Status TopicReader::read_new(const std::function<void(const TopicRecord&)>& take,
                             const std::function<bool()>& go_on) {
  // Of a partition that is read to its end, 0.
  std::vector<std::int64_t> ends;
  if (Status status = start_reading(ends); !status.ok()) return status;
  auto open = std::count_if(ends.begin(), ends.end(), [](std::int64_t end) { return end > 0; });
  std::array<rd_kafka_message_t*, kBatch> messages{};
  Clock::time_point heard = Clock::now();
  std::string last_error = "nothing came for half a minute";
  bool goes_on = go_on();
  while (open > 0 && goes_on && Clock::now() - heard < kSilenceMax) {
    const std::size_t count = client_->read(messages);
    for (std::size_t at = 0; at < count; ++at) {
      const Message message{messages[at]};
      std::int64_t& end = ends[static_cast<std::size_t>(message->partition)];
      if (is_record(*message)) {
        heard = Clock::now();
        if (message->offset < end) take(record_of(*message));
      } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        last_error = rd_kafka_message_errstr(message.get());
      }
      if (end > 0 && is_at_end(*message, end)) {
        client_->stop(static_cast<std::size_t>(message->partition));
        end = 0;
        --open;
      }
    }
    goes_on = go_on();
  }
  for (std::size_t partition = 0; partition < ends.size(); ++partition) {
    if (ends[partition] > 0) client_->stop(partition);
  }
  if (open == 0) return {};
  if (!goes_on) return Status::error(StatusCode::stopped, "reading back was stopped");
  return failed("not read to its end", last_error);
}

}  // namespace dualstream::command
