// key_hash() decides which events stand together: in a partition, and before that in memory.
//
// It is MurmurHash2, 32 bits, with the seed that Kafka's Java client uses.
// Source: org.apache.kafka.common.utils.Utils.murmur2 (Apache Kafka 4.3).
#pragma once

#include <cstdint>
#include <string_view>

namespace dualstream::event {

[[nodiscard]] std::uint32_t key_hash(std::string_view key) noexcept;

}  // namespace dualstream::event
