#include "event/key_hash.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace dualstream::event {

static_assert(std::endian::native == std::endian::little,
              "key_hash() reads four bytes as a little-endian word");

std::uint32_t key_hash(std::string_view key) noexcept {
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

}  // namespace dualstream::event
