#include "redis/health_log.h"

#include <new>
#include <utility>

namespace dualstream::redis {
namespace {

// A server may say as much as it likes; a line is a line.
constexpr std::size_t kDetailBytesMax = 256;

constexpr std::string_view kHeld =
    "notifications are held and then dropped, oldest first; Kafka is not affected";
constexpr std::string_view kDropped =
    "such notifications are dropped and counted; Kafka is not affected";

}  // namespace

HealthLog::HealthLog(std::string address_text, base::Log& log)
    : address_text_(std::move(address_text)), log_(log) {}

void HealthLog::connected() noexcept {
  if (std::exchange(link_, Link::connected) == Link::connected) return;
  said_.say(degraded() ? RedisHealth::degraded : RedisHealth::up);
  write({.kind = LogKind::redis_connected,
         .level = LogLevel::info,
         .what = "connected",
         .meaning = "notifications go out"});
}

void HealthLog::lost(std::string_view reason) noexcept {
  const Link before = std::exchange(link_, Link::lost);
  if (before == Link::lost) return;
  said_.say(RedisHealth::lost, reason.substr(0, kDetailBytesMax));
  write({.kind = LogKind::redis_lost,
         .level = LogLevel::warning,
         .what = before == Link::connected ? "the connection was lost" : "cannot be reached",
         .detail = reason,
         .meaning = kHeld,
         .next_step = "it is tried again at least once a second: start Redis or mend "
                      "redis.address"});
}

void HealthLog::refused(std::string_view reason) noexcept {
  if (std::exchange(link_, Link::refused) == Link::refused) return;
  said_.say(RedisHealth::refused, reason.substr(0, kDetailBytesMax));
  write({.kind = LogKind::redis_refused,
         .level = LogLevel::error,
         .what = "does not let us in",
         .detail = reason,
         .meaning = kHeld,
         .next_step = "it is tried again every few seconds: mend redis.username and "
                      "redis.password, or the server's ACL or maxclients"});
}

void HealthLog::published(base::TimePoint now) noexcept {
  if (!degraded()) return;
  for (Trouble* trouble : {&refusals_, &errors_}) {
    if (trouble->active && now - trouble->last >= kQuietFor) trouble->active = false;
  }
  if (degraded()) return;
  said_.say(RedisHealth::up);
  write({.kind = LogKind::redis_publish_recovered,
         .level = LogLevel::info,
         .what = "PUBLISH works again"});
}

void HealthLog::publish_refused(std::string_view error, base::TimePoint now) noexcept {
  refusals_.last = now;
  if (std::exchange(refusals_.active, true)) return;
  said_.say(RedisHealth::degraded, error.substr(0, kDetailBytesMax));
  write({.kind = LogKind::redis_publish_refused,
         .level = LogLevel::error,
         .what = "refuses PUBLISH",
         .detail = error,
         .meaning = kDropped,
         .next_step = "give the user the command and the channels, e.g. ACL SETUSER name "
                      "+publish &events:*"});
}

void HealthLog::publish_failed(std::string_view error, base::TimePoint now) noexcept {
  errors_.last = now;
  if (std::exchange(errors_.active, true)) return;
  said_.say(RedisHealth::degraded, error.substr(0, kDetailBytesMax));
  write({.kind = LogKind::redis_publish_failed,
         .level = LogLevel::warning,
         .what = "answers PUBLISH with an error",
         .detail = error,
         .meaning = kDropped,
         .next_step = "see the server's own log"});
}

void HealthLog::write(const Line& line) noexcept {
  try {
    std::string text = "redis: ";
    text.append(address_text_).append(": ").append(line.what);
    if (!line.detail.empty()) {
      text.append(" (").append(line.detail.substr(0, kDetailBytesMax)).append(")");
    }
    for (const std::string_view part : {line.meaning, line.next_step}) {
      if (!part.empty()) text.append("; ").append(part);
    }
    log_.write(line.kind, line.level, text,
               {{"address", address_text_}, {"reason", line.detail.substr(0, kDetailBytesMax)}});
  } catch (const std::bad_alloc&) {
    // A line less; the counters tell the same.
  }
}

}  // namespace dualstream::redis
