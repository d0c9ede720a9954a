// How much a fault test does, and the seed of what is random in it.
//
// DUALSTREAM_FAULT_SCALE is 1 for CI (the default) and 10 for the full grid. DUALSTREAM_FAULT_SEED
// repeats a run.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace dualstream::testing {

inline std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

inline std::size_t fault_scale() {
  return static_cast<std::size_t>(number_from_environment("DUALSTREAM_FAULT_SCALE", 1));
}

// Printed, so that a failure can be repeated.
inline std::uint64_t fault_seed() {
  static const std::uint64_t seed = [] {
    const std::uint64_t value =
        number_from_environment("DUALSTREAM_FAULT_SEED", std::random_device{}());
    std::printf("DUALSTREAM_FAULT_SEED=%llu\n", static_cast<unsigned long long>(value));
    return value;
  }();
  return seed;
}

}  // namespace dualstream::testing
