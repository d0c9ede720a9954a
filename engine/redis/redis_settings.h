// What RedisOptions come to: a worker's settings, its connection's address, and its memory.
#pragma once

#include <cstdint>

#include "dualstream/options.h"
#include "dualstream/status.h"
#include "redis/redis_address.h"
#include "redis/redis_worker.h"

namespace dualstream::redis {

struct RedisSettings {
  RedisAddress address;
  RedisWorker::Settings worker;
};

// ok, or `invalid_options` with the first rule that address, credentials or channels break. The
// ranges of the numbers are validate()'s.
[[nodiscard]] Status read_redis_options(const RedisOptions& options, RedisSettings& out);

// Of notifications_max and notification_bytes_max the NotificationQueue has this half, the
// Coalescer the other.
[[nodiscard]] std::size_t queue_half(std::size_t bound) noexcept;

// The most that the Redis side of an engine holds, without the NotificationQueue. 0 without an
// address.
[[nodiscard]] std::uint64_t redis_memory_bytes_max(const RedisOptions& options);

}  // namespace dualstream::redis
