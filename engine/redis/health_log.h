// HealthLog writes one line per change of Redis' state, and none in between: what happened, what it
// means and what to do. Never a secret, never a line per event.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/said.h"
#include "base/time.h"
#include "dualstream/health.h"
#include "redis/redis_address.h"

namespace dualstream::redis {

// Thread: Redis worker only, but health().
class HealthLog {
 public:
  // Answers of one kind that follow each other within this time are one state: rights may be given
  // for one channel and not for the next.
  static constexpr base::Duration kQuietFor = std::chrono::seconds{5};

  HealthLog(std::string address_text, base::Log& log);

  void connected() noexcept;
  // The connection broke or could not be made.
  void lost(std::string_view reason) noexcept;
  // The server answered and does not let us in.
  void refused(std::string_view reason) noexcept;

  // How PUBLISH is answered.
  void published(base::TimePoint now) noexcept;
  void publish_refused(std::string_view error, base::TimePoint now) noexcept;
  void publish_failed(std::string_view error, base::TimePoint now) noexcept;

  // How Redis is, and why. On any thread.
  [[nodiscard]] std::pair<RedisHealth, std::string> health() const { return said_.heard(); }

  // Whether there is trouble with the answers to PUBLISH at present.
  [[nodiscard]] bool degraded() const noexcept { return refusals_.active || errors_.active; }

 private:
  enum class Link : std::uint8_t { unknown, connected, lost, refused };
  struct Trouble {
    bool active = false;
    base::TimePoint last{};
  };

  struct Line {
    LogKind kind = LogKind::redis_connected;
    LogLevel level = LogLevel::info;
    std::string_view what;
    std::string_view detail{};  // As the system or the server said it.
    std::string_view meaning{};
    std::string_view next_step{};
  };

  void write(const Line& line) noexcept;

  const std::string address_text_;
  base::Log& log_;
  Link link_ = Link::unknown;
  Trouble refusals_;
  Trouble errors_;
  base::Said<RedisHealth> said_{RedisHealth::connecting};
};

}  // namespace dualstream::redis
