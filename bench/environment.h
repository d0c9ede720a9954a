// What a benchmark is told by the environment.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>

namespace dualstream::bench {

// Empty when it is not set.
inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : value;
}

// A brief run, which only shows that the cases work, sets DUALSTREAM_BENCH_EVENTS.
inline std::size_t events_of(std::size_t usual) {
  const std::string events = environment("DUALSTREAM_BENCH_EVENTS");
  return events.empty() ? usual : std::min<std::size_t>(usual, std::stoul(events));
}

}  // namespace dualstream::bench
