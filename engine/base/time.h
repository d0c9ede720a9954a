// The engine's clock. Workers take the time as an argument; only base/worker.cc and the public
// calls read it.
#pragma once

#include <chrono>

namespace dualstream::base {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

// Later than anything: "no deadline".
inline constexpr TimePoint kNever = TimePoint::max();

}  // namespace dualstream::base
