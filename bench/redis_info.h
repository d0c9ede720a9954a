// What a redis-server says of itself.
#pragma once

#include <sys/types.h>

#include <string>

namespace dualstream::bench {

// What it has used of the processors so far, in seconds.
[[nodiscard]] double redis_cpu_seconds(const std::string& address);

[[nodiscard]] pid_t redis_process_id(const std::string& address);

}  // namespace dualstream::bench
