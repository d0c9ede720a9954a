// What this process has used of the machine.
//
// Source: getrusage(2), and the second field of /proc/self/statm (proc(5)).
#pragma once

#include <cstdint>

#include "time_series.h"

namespace dualstream::command {

// Of all threads together, in user and kernel mode.
[[nodiscard]] double own_cpu_seconds();

// Resident, in bytes. 0 where the system does not say.
[[nodiscard]] std::uint64_t own_memory_bytes();
[[nodiscard]] std::uint64_t own_memory_bytes_peak();

// The most that was seen in an interval; 0 where nobody looked.
struct MemoryCell {
  std::uint64_t bytes = 0;

  void merge(const MemoryCell& other) {
    if (other.bytes > bytes) bytes = other.bytes;
  }
  void clear() { bytes = 0; }
};
using MemoryOverTime = TimeSeries<MemoryCell>;

}  // namespace dualstream::command
