#include "dualstream/health.h"

namespace dualstream {
namespace {

std::string with_reason(std::string text, const std::string& reason) {
  if (!reason.empty()) text.append(" (").append(reason).append(")");
  return text;
}

}  // namespace

std::string_view name(KafkaHealth health) noexcept {
  switch (health) {
    case KafkaHealth::up:
      return "up";
    case KafkaHealth::unreachable:
      return "unreachable";
    case KafkaHealth::unauthorized:
      return "unauthorized";
    case KafkaHealth::topic:
      return "topic";
  }
  return "unknown";
}

std::string_view name(RedisHealth health) noexcept {
  switch (health) {
    case RedisHealth::off:
      return "off";
    case RedisHealth::connecting:
      return "connecting";
    case RedisHealth::up:
      return "up";
    case RedisHealth::lost:
      return "lost";
    case RedisHealth::refused:
      return "refused";
    case RedisHealth::degraded:
      return "degraded";
  }
  return "unknown";
}

std::string Health::text() const {
  std::string text = ok() ? "ok" : "";
  const auto add = [&text](const std::string& part) {
    text.append(text.empty() ? "" : "; ").append(part);
  };
  if (stopping) add("stopping");
  if (kafka != KafkaHealth::up) {
    add(with_reason("kafka: " + std::string{name(kafka)}, kafka_reason));
  }
  if (redis != RedisHealth::up && redis != RedisHealth::off) {
    add(with_reason("redis: " + std::string{name(redis)}, redis_reason));
  }
  return text;
}

}  // namespace dualstream
