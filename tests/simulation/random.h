// Random is where all of a simulated life comes from: one seed.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>

namespace dualstream::simulation {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // 0 to below - 1.
  std::uint64_t below(std::uint64_t below) { return engine_() % below; }
  // Both included.
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + below(most - least + 1);
  }
  bool chance(std::uint64_t per_mille) { return below(1000) < per_mille; }
  template <typename T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[below(values.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace dualstream::simulation
