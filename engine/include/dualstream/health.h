// Health says how an Engine is at this moment: whether Kafka takes events, whether Redis takes
// notifications, and if not, why.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dualstream/export.h"

namespace dualstream {

enum class KafkaHealth : std::uint8_t {
  up,            // The cluster answered, or acknowledged an event, within the last 8 s.
  unreachable,   // It did neither. Events are buffered up to the queue's bounds.
  unauthorized,  // A broker refused the credentials or a right, and has acknowledged nothing since.
  topic,         // The topic is missing or cannot be used.
};

enum class RedisHealth : std::uint8_t {
  off,         // No redis.address: no notifications.
  connecting,  // There was no connection yet.
  up,
  lost,      // No connection. Notifications are held, then dropped, oldest first.
  refused,   // The server answers and does not let us in.
  degraded,  // PUBLISH is answered with errors.
};

[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(KafkaHealth health) noexcept;
[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(RedisHealth health) noexcept;

struct Health {
  KafkaHealth kafka = KafkaHealth::unreachable;
  RedisHealth redis = RedisHealth::off;
  bool stopping = false;     // stop() has begun: publish() refuses.
  std::string kafka_reason;  // Why it is not up, in the server's or the system's words.
  std::string redis_reason;

  // Whether events given to publish() get to Kafka. Redis has no part in it: it never fails one.
  [[nodiscard]] bool ok() const noexcept { return kafka == KafkaHealth::up && !stopping; }
  // One line: "ok", or what is wrong and why.
  [[nodiscard]] std::string text() const;
};

}  // namespace dualstream
