#include "kafka/partitioner.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace dualstream::kafka {

static_assert(std::endian::native == std::endian::little,
              "murmur2 reads four bytes as a little-endian word");

std::uint32_t murmur2(std::string_view key) noexcept {
  constexpr std::uint32_t kSeed = 0x9747b28c;
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  constexpr int kShift = 24;
  const std::size_t size = key.size();
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(size);
  const char* at = key.data();
  for (std::size_t left = size; left >= 4; left -= 4, at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word *= kMultiplier;
    word ^= word >> kShift;
    word *= kMultiplier;
    hash = (hash * kMultiplier) ^ word;
  }
  const auto byte = [at](std::size_t i) {
    return std::uint32_t{static_cast<unsigned char>(at[i])};
  };
  switch (size % 4) {
    case 3:
      hash ^= byte(2) << 16;
      [[fallthrough]];
    case 2:
      hash ^= byte(1) << 8;
      [[fallthrough]];
    case 1:
      hash = (hash ^ byte(0)) * kMultiplier;
      break;
    default:
      break;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  return hash ^ (hash >> 15);
}

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
  return partition_of_hash(murmur2(key), partitions);
}

std::int32_t lane_of(std::string_view key, std::int32_t partitions, std::int32_t clients) noexcept {
  const std::uint32_t hash = murmur2(key);
  return partition_of_hash(hash, partitions) * clients + client_of_hash(hash, clients);
}

}  // namespace dualstream::kafka
