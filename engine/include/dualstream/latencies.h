// Latencies is a distribution of times: how many were measured, their sum and their quantiles.
//
//   bucket   0    1  ...   7    8  ...  15   16  ...  23   ...  192 ... 199   200
//   µs, to   1    2  ...   8    9  ...  16   18  ...  32   ...  2^24*9  2^27   more
//
// Each bucket but the last is at most an eighth as wide as the times in it are long.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "dualstream/export.h"

namespace dualstream {

// A value.
struct DUALSTREAM_EXPORT Latencies {
  static constexpr std::size_t kBuckets = 201;

  std::array<std::uint64_t, kBuckets> counts{};
  std::uint64_t sum_ns = 0;

  [[nodiscard]] std::uint64_t count() const noexcept;
  // How many were not longer than `bound`, which is a power of two in microseconds, up to 2^27.
  [[nodiscard]] std::uint64_t count_up_to(std::chrono::microseconds bound) const noexcept;
  // The time that a part `q`, from 0 to 1, of those measured were not longer than; up to an eighth
  // too long. 0 when nothing was measured, and 2^27 µs (134 s) when it was longer than that.
  [[nodiscard]] std::chrono::microseconds quantile(double q) const noexcept;

  // The bucket of a time, and the longest time that falls into a bucket.
  [[nodiscard]] static std::size_t bucket_of(std::chrono::nanoseconds time) noexcept;
  [[nodiscard]] static std::chrono::microseconds bucket_end(std::size_t bucket) noexcept;
};

}  // namespace dualstream
