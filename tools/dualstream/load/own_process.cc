#include "own_process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace dualstream::command {
namespace {

rusage own_usage() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);  // It fails only for another `who`.
  return usage;
}

}  // namespace

double own_cpu_seconds() {
  const rusage usage = own_usage();
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t own_memory_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  if (!(statm >> size >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t own_memory_bytes_peak() {
  return static_cast<std::uint64_t>(own_usage().ru_maxrss) * 1'024;
}

}  // namespace dualstream::command
