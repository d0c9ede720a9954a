// Topics made, changed and deleted in milliseconds, by librdkafka's admin client.
//
// Each call connects, waits until every broker that answers knows of the change, and throws
// std::runtime_error with Kafka's words when it fails or takes longer than 15 s.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dualstream::testing {

struct TopicOptions {
  int partitions = 4;
  int replicas = 1;
  // E.g. {"max.message.bytes", "2000"}.
  std::vector<std::pair<std::string, std::string>> config{};
};

// Returns when every partition has a leader. (A producer that asks for a new topic before that
// waits for a timer of a second.)
void create_topic(const std::string& brokers, const std::string& topic,
                  const TopicOptions& options = {});

void delete_topic(const std::string& brokers, const std::string& topic);

// Takes away everything before `offset`, as retention does.
void delete_records(const std::string& brokers, const std::string& topic, int partition,
                    std::int64_t offset);

// Grows the topic to `partitions` in all.
void grow_topic(const std::string& brokers, const std::string& topic, int partitions);

// Replaces all of the topic's own properties.
void configure_topic(const std::string& brokers, const std::string& topic,
                     const std::vector<std::pair<std::string, std::string>>& config);

// Lets a principal ("User:app") write to and describe the topic, or only describe it; takes either
// right back. The cluster needs an authorizer, and has to trust whoever asks without credentials.
void allow_writing(const std::string& brokers, const std::string& principal,
                   const std::string& topic);
void allow_describing(const std::string& brokers, const std::string& principal,
                      const std::string& topic);
void forbid_writing(const std::string& brokers, const std::string& principal,
                    const std::string& topic);

// The broker that leads a partition (N of "kafka:N"), or -1.
[[nodiscard]] int leader_of(const std::string& brokers, const std::string& topic, int partition);

}  // namespace dualstream::testing
