// eventually() waits for a state by looking at it, never by the clock alone.
#pragma once

#include <chrono>
#include <functional>

namespace dualstream::testing {

// Whether `state` came true within `timeout`.
[[nodiscard]] bool eventually(std::chrono::milliseconds timeout,
                              const std::function<bool()>& state);

}  // namespace dualstream::testing
