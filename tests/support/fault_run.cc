#include "support/fault_run.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

namespace dualstream::testing {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables in a test.
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::stoull(value) : otherwise;
}

}  // namespace

std::size_t fault_scale() {
  return std::max<std::uint64_t>(1, number_from_environment("DUALSTREAM_FAULT_SCALE", 1));
}

std::uint64_t fault_seed() {
  const std::uint64_t seed = number_from_environment("DUALSTREAM_FAULT_SEED", 1);
  std::cout << "DUALSTREAM_FAULT_SEED=" << seed << " DUALSTREAM_FAULT_SCALE=" << fault_scale()
            << '\n';
  return seed;
}

BackgroundLoad::BackgroundLoad(EngineRun& run, const Load& round)
    : thread_{[this, &run, round] {
        while (!finish_) {
          const LoadResult result = run.publish(round);
          total_.accepted += result.accepted;
          total_.full += result.full;
          total_.refused += result.refused;
          total_.slowest_publish = std::max(total_.slowest_publish, result.slowest_publish);
          std::this_thread::sleep_for(kPause);  // tidy: allow(sleep) paces the load
        }
      }} {}

LoadResult BackgroundLoad::finish() {
  finish_ = true;
  if (thread_.joinable()) thread_.join();
  return total_;
}

}  // namespace dualstream::testing
