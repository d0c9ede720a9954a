// What every fault test needs: how large it is, its seed, and a load that goes on in the
// background.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "support/engine_run.h"

namespace dualstream::testing {

// DUALSTREAM_FAULT_SCALE: 1 (default) is the share that every run of the tests takes, 10 the full
// table.
[[nodiscard]] std::size_t fault_scale();

// DUALSTREAM_FAULT_SEED, 1 by default; printed, with the scale, to replay a failure.
[[nodiscard]] std::uint64_t fault_seed();

// BackgroundLoad publishes in rounds, one after the other, while a test breaks things.
//
// Lifetime: the EngineRun outlives it; nobody else publishes on it meanwhile.
class BackgroundLoad {
 public:
  // Each round starts this much after the one before it ended, so that a load lasts as long as a
  // fault and a topic can still be read back.
  static constexpr std::chrono::milliseconds kPause{2};

  BackgroundLoad(EngineRun& run, const Load& round);
  BackgroundLoad(const BackgroundLoad&) = delete;
  BackgroundLoad& operator=(const BackgroundLoad&) = delete;
  ~BackgroundLoad() { (void)finish(); }

  // Ends after the present round; all rounds together.
  LoadResult finish();

 private:
  std::atomic<bool> finish_{false};
  LoadResult total_;
  std::thread thread_;
};

}  // namespace dualstream::testing
