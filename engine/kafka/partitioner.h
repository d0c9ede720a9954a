// Partitioner picks an event's partition from its key as Kafka's Java client does by default, so
// that all clients agree; and its lane, where several clients of ours write to one topic.
//
//   lane = partition * clients + client
//
// A lane is one partition by way of one client, in which order is kept. A source stays with its
// client also when the topic grows, so that its events cannot overtake each other in a partition.
//
// Source: org.apache.kafka.clients.producer.internals.BuiltInPartitioner.partitionForKey (Apache
// Kafka 4.3).
#pragma once

#include <cstdint>
#include <string_view>

namespace dualstream::kafka {

// 0 <= result < partitions; `partitions` is positive.
[[nodiscard]] std::int32_t partition_of(std::string_view key, std::int32_t partitions) noexcept;

// Of the key with that event::key_hash(). 0 <= result < partitions * clients; both are positive,
// and clients at most 65,536.
[[nodiscard]] std::int32_t lane_of(std::uint32_t key_hash, std::int32_t partitions,
                                   std::int32_t clients) noexcept;

}  // namespace dualstream::kafka
