#include "kafka/partitioner.h"

#include "event/key_hash.h"

namespace dualstream::kafka {
namespace {

std::int32_t partition_of_hash(std::uint32_t hash, std::int32_t partitions) noexcept {
  // Java's toPositive() clears the sign bit; it is not the absolute value.
  return static_cast<std::int32_t>(hash & 0x7fffffffU) % partitions;
}

// A remainder would follow the partition's. The upper half of a product by 2^32 / golden ratio
// depends on all bits (Knuth's multiplicative hashing), and not on the number of partitions.
std::int32_t client_of_hash(std::uint32_t hash, std::int32_t clients) noexcept {
  const std::uint32_t mixed = (hash * 0x9e3779b1U) >> 16;
  return static_cast<std::int32_t>(mixed * static_cast<std::uint32_t>(clients) >> 16);
}

}  // namespace

std::int32_t partition_of(std::string_view key, std::int32_t partitions) noexcept {
  return partition_of_hash(event::key_hash(key), partitions);
}

std::int32_t lane_of(std::uint32_t key_hash, std::int32_t partitions,
                     std::int32_t clients) noexcept {
  return partition_of_hash(key_hash, partitions) * clients + client_of_hash(key_hash, clients);
}

}  // namespace dualstream::kafka
