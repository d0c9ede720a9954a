// Partitioner picks an event's partition from its key as Kafka's Java client does by default, so
// that all clients agree; and its lane, where several clients of ours write to one topic.
//
//   lane = partition * clients + client
//
// A lane is one partition by way of one client, in which order is kept. A source stays with its
// client also when the topic grows, so that its events cannot overtake each other in a partition.
//
// Source: org.apache.kafka.common.utils.Utils.murmur2 and BuiltInPartitioner.partitionForKey
// (Apache Kafka 4.3).
#pragma once

#include <cstdint>
#include <string_view>

namespace dualstream::kafka {

// MurmurHash2, 32 bits, with the seed that Kafka's Java client uses.
[[nodiscard]] std::uint32_t murmur2(std::string_view key) noexcept;

// 0 <= result < partitions; `partitions` is positive.
[[nodiscard]] std::int32_t partition_of(std::string_view key, std::int32_t partitions) noexcept;

// 0 <= result < partitions * clients; both are positive, and clients at most 65,536.
[[nodiscard]] std::int32_t lane_of(std::string_view key, std::int32_t partitions,
                                   std::int32_t clients) noexcept;

}  // namespace dualstream::kafka
