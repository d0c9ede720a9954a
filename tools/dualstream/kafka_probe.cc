#include "kafka_probe.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "dualstream/engine.h"
#include "kafka/librdkafka_client.h"
#include "network_probe.h"
#include "text.h"

namespace dualstream::command {
namespace {

using kafka::Owned;

// What the topic is, of all that the cluster told.
struct TopicFacts {
  int brokers = 0;
  int partitions = 0;
  int without_leader = 0;
  int out_of_sync = 0;  // Partitions of which a replica lags.
  int replicas_min = 0;
};

using Properties = std::map<std::string, std::string>;

Status open_engine(const Options& options) {
  Options asked = options;
  asked.redis.address.clear();
  asked.kafka.required_at_open = true;
  asked.on_outcomes = nullptr;
  // The client's own lines say what the Status says, a line each try.
  asked.on_log = [](const auto& /*line*/) {};
  std::unique_ptr<Engine> engine;
  Status status = Engine::open(std::move(asked), engine);
  if (engine) (void)engine->stop(std::chrono::seconds{1});
  return status;
}

std::string fix_of(const Status& status) {
  switch (status.code) {
    case StatusCode::unknown_topic:
      return "Create the topic, or correct --topic.";
    case StatusCode::unauthorized:
      return "Correct the credentials, or grant this principal Describe and Write on the topic.";
    case StatusCode::unreachable:
      return "Start the broker; see to advertised.listeners, security.protocol and the network.";
    default:
      return {};
  }
}

class Client {
 public:
  explicit Client(const KafkaOptions& options)
      : timeout_ms_(static_cast<int>(options.open_timeout.count())) {
    Owned<rd_kafka_conf_t> conf;
    if (!kafka::make_producer_conf(options, conf).ok()) return;
    std::array<char, 512> error{};
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), error.data(), error.size()));
    if (!client_) return;
    (void)conf.release();  // The client's now.
    topic_.reset(rd_kafka_topic_new(client_.get(), options.topic.c_str(), nullptr));
  }

  [[nodiscard]] std::optional<TopicFacts> topic() const {
    if (!topic_) return std::nullopt;
    const rd_kafka_metadata_t* raw = nullptr;
    if (rd_kafka_metadata(client_.get(), 0, topic_.get(), &raw, timeout_ms_) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      return std::nullopt;
    }
    const Owned<const rd_kafka_metadata_t> metadata{raw};
    if (metadata->topic_cnt != 1) return std::nullopt;
    const rd_kafka_metadata_topic_t& topic = metadata->topics[0];
    TopicFacts facts{.brokers = metadata->broker_cnt, .partitions = topic.partition_cnt};
    for (int at = 0; at < topic.partition_cnt; ++at) {
      const rd_kafka_metadata_partition_t& partition = topic.partitions[at];
      facts.without_leader += partition.leader < 0 ? 1 : 0;
      facts.out_of_sync += partition.isr_cnt < partition.replica_cnt ? 1 : 0;
      facts.replicas_min =
          at == 0 ? partition.replica_cnt : std::min(facts.replicas_min, partition.replica_cnt);
    }
    return facts;
  }

  // The topic's own; empty without the right to read them.
  [[nodiscard]] Properties properties() const {
    if (!topic_) return {};
    const Owned<rd_kafka_AdminOptions_t> options{
        rd_kafka_AdminOptions_new(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS)};
    std::array<char, 128> error{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms_, error.data(),
                                              error.size());
    const Owned<rd_kafka_ConfigResource_t> question{
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, rd_kafka_topic_name(topic_.get()))};
    const Owned<rd_kafka_queue_t> answers{rd_kafka_queue_new(client_.get())};
    rd_kafka_ConfigResource_t* list = question.get();
    rd_kafka_DescribeConfigs(client_.get(), &list, 1, options.get(), answers.get());
    const Owned<rd_kafka_event_t> answer{rd_kafka_queue_poll(answers.get(), timeout_ms_)};
    if (!answer || rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    std::size_t count = 0;
    const rd_kafka_ConfigResource_t** const resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(answer.get()), &count);
    if (count != 1) return {};
    Properties properties;
    const rd_kafka_ConfigEntry_t** const entries =
        rd_kafka_ConfigResource_configs(resources[0], &count);
    for (std::size_t at = 0; at < count; ++at) {
      const char* const value = rd_kafka_ConfigEntry_value(entries[at]);
      if (value != nullptr) properties[rd_kafka_ConfigEntry_name(entries[at])] = value;
    }
    return properties;
  }

 private:
  const int timeout_ms_;
  Owned<rd_kafka_t> client_;
  Owned<rd_kafka_topic_t> topic_;
};

Finding topic_finding(const std::string& topic, const std::optional<TopicFacts>& facts) {
  Finding finding{.question = "kafka.topic"};
  if (!facts) {
    finding.verdict = Verdict::failed;
    finding.answer = concat({"the cluster did not answer for ", topic});
    finding.fix = "Ask again; if it stays so, look at the brokers' logs.";
    return finding;
  }
  finding.answer =
      concat({topic, ": partitions ", std::to_string(facts->partitions), ", replicas ",
              std::to_string(facts->replicas_min), ", brokers ", std::to_string(facts->brokers)});
  if (facts->without_leader > 0) {
    finding.verdict = Verdict::failed;
    finding.answer += concat({"; ", std::to_string(facts->without_leader), " without a leader"});
    finding.fix = "Start the brokers that hold these partitions.";
  } else if (facts->out_of_sync > 0) {
    finding.verdict = Verdict::warning;
    finding.answer += concat({"; ", std::to_string(facts->out_of_sync), " not in sync"});
    finding.fix = "Look at the brokers that lag or are down.";
  } else if (facts->replicas_min == 1 && facts->brokers > 1) {
    finding.verdict = Verdict::warning;
    finding.fix = "One broker's disk holds the only copy: give the topic more replicas.";
  }
  return finding;
}

Finding limits_finding(const KafkaOptions& options, const std::optional<TopicFacts>& facts,
                       const Properties& properties) {
  Finding finding{.question = "kafka.limits"};
  const auto value = [&properties](const char* name) -> std::string {
    const auto found = properties.find(name);
    return found == properties.end() ? std::string{} : found->second;
  };
  if (properties.empty()) {
    finding.verdict = Verdict::warning;
    finding.answer = "the topic's properties may not be read";
    finding.fix =
        "Grant DescribeConfigs on the topic: the engine then knows its "
        "max.message.bytes before a broker refuses a batch.";
    return finding;
  }
  const std::string bytes = value("max.message.bytes");
  const std::string in_sync = value("min.insync.replicas");
  finding.answer =
      concat({"max.message.bytes ", bytes, ", min.insync.replicas ", in_sync, ", retention.ms ",
              value("retention.ms"), ", ", value("message.timestamp.type")});
  if (std::strtoull(bytes.c_str(), nullptr, 10) < options.event_bytes_max) {
    finding.verdict = Verdict::warning;
    finding.fix = concat({"Events over about ", bytes,
                          " bytes are refused: raise "
                          "max.message.bytes, or lower --event-bytes to it."});
  } else if (facts && facts->replicas_min > 1 && in_sync == "1") {
    finding.verdict = Verdict::warning;
    finding.fix =
        "Set min.insync.replicas to 2: with 1, an acknowledged event may be on one disk "
        "only.";
  } else if (value("cleanup.policy").find("compact") != std::string::npos) {
    finding.verdict = Verdict::warning;
    finding.answer += ", cleanup.policy " + value("cleanup.policy");
    finding.fix = "Compaction keeps the last event of each source only: use cleanup.policy=delete.";
  }
  return finding;
}

}  // namespace

void check_kafka(const Options& options, DoctorReport& report) {
  const auto skip = [&report](std::initializer_list<const char*> questions) {
    for (const char* question : questions) {
      report.push_back({.verdict = Verdict::skipped,
                        .question = question,
                        .answer = "not asked, because of what failed before"});
    }
  };
  if (!check_network(host_ports(options.kafka.brokers, "9092"), "kafka", options.kafka.open_timeout,
                     report)) {
    return skip({"kafka.open", "kafka.topic", "kafka.limits"});
  }
  const Status opened = open_engine(options);
  report.push_back(opened.ok() ? Finding{.question = "kafka.open",
                                         .answer = "the cluster takes us and has the topic"}
                               : Finding{.verdict = Verdict::failed,
                                         .question = "kafka.open",
                                         .answer = opened.message,
                                         .fix = fix_of(opened)});
  if (!opened.ok()) return skip({"kafka.topic", "kafka.limits"});
  const Client client{options.kafka};
  const std::optional<TopicFacts> facts = client.topic();
  report.push_back(topic_finding(options.kafka.topic, facts));
  report.push_back(limits_finding(options.kafka, facts, client.properties()));
}

}  // namespace dualstream::command
