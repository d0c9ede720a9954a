#include "dualstream/latencies.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace dualstream {
namespace {

// Buckets to each doubling of the time.
constexpr unsigned kStepBits = 3;
constexpr std::uint64_t kSteps = 1U << kStepBits;
// The last bucket takes all that is longer than 2^this µs.
constexpr unsigned kBitsMax = 27;
static_assert(Latencies::kBuckets == (kBitsMax - kStepBits + 1) * kSteps + 1);

}  // namespace

std::uint64_t Latencies::count() const noexcept {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts) sum += count;
  return sum;
}

std::uint64_t Latencies::count_up_to(std::chrono::microseconds bound) const noexcept {
  std::uint64_t sum = 0;
  for (std::size_t bucket = 0; bucket < kBuckets && bucket_end(bucket) <= bound; ++bucket) {
    sum += counts[bucket];
  }
  return sum;
}

std::chrono::microseconds Latencies::quantile(double q) const noexcept {
  const std::uint64_t total = count();
  if (total == 0) return {};
  const double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(total));
  const std::uint64_t rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket + 1 < kBuckets; ++bucket) {
    below += counts[bucket];
    if (below >= rank) return bucket_end(bucket);
  }
  return bucket_end(kBuckets - 2);
}

// Bucket ends are part of their bucket, as Prometheus has it, so a time is looked up by the
// microsecond that it ends in, counted from 0.
std::size_t Latencies::bucket_of(std::chrono::nanoseconds time) noexcept {
  if (time.count() <= 0) return 0;
  const auto us = static_cast<std::uint64_t>(time.count() - 1) / 1000;
  if (us < kSteps) return us;
  const auto bits = static_cast<unsigned>(std::bit_width(us)) - 1;
  if (bits >= kBitsMax) return kBuckets - 1;
  return (bits - kStepBits + 1) * kSteps + ((us >> (bits - kStepBits)) & (kSteps - 1));
}

std::chrono::microseconds Latencies::bucket_end(std::size_t bucket) noexcept {
  if (bucket + 1 >= kBuckets) return std::chrono::microseconds::max();
  const std::uint64_t next = bucket + 1;  // The end of one is the beginning of the next.
  if (next < kSteps) return std::chrono::microseconds{next};
  const auto bits = static_cast<unsigned>(next / kSteps) - 1;
  return std::chrono::microseconds{(kSteps + next % kSteps) << bits};
}

}  // namespace dualstream
