// RedisSubscription keeps one connection to Redis subscribed to whatever is wanted, and brings what
// is published there.
//
//   waiting --(back-off is over)--> connecting --(socket open)--> greeting --(PING answered)-->
//   ready
//      ^                                |                            |                            |
//      '---- failed, refused, or not ready in connect_timeout -------+-- lost, or silent for -----'
//                                                                        silence_max
//
// Each time that it is ready it subscribes to all of it again; a channel counts when Redis has
// confirmed it on the present connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "base/log.h"
#include "base/time.h"
#include "base/worker.h"
#include "dualstream/subscriber.h"
#include "redis/backoff.h"
#include "redis/push_parser.h"
#include "redis/redis_connection.h"

namespace dualstream::redis {

// A channel, or a pattern of channels.
struct Topic {
  bool is_pattern = false;
  std::string name;
  bool operator==(const Topic&) const = default;
  bool operator<(const Topic& other) const noexcept {
    return std::tie(is_pattern, name) < std::tie(other.is_pattern, other.name);
  }
};

// One message. The views live until the next next() or do_work().
struct ChannelMessage {
  std::string_view pattern;  // Empty when it came by its channel.
  std::string_view channel;
  std::string_view text;
};

// Thread: one at a time.
class RedisSubscription {
 public:
  struct Settings {
    base::Duration connect_timeout = std::chrono::seconds{1};
    // PING goes out a second after anything was heard; a server that is silent for this long is
    // given up.
    base::Duration silence_max = std::chrono::seconds{5};
    std::string address_text;  // For the log; without a secret.
    std::string username;
    std::string password;
    std::uint64_t backoff_seed = 0;
  };

  RedisSubscription(Settings settings, std::unique_ptr<RedisConnection> connection, base::Log& log);

  // Counted: a topic stays as long as anybody wants it.
  void add(const Topic& topic);
  void remove(const Topic& topic);

  // Advances the link. Returns how much it did.
  std::size_t do_work(base::TimePoint now);
  // The next message that has arrived.
  [[nodiscard]] bool next(base::TimePoint now, ChannelMessage& message);

  [[nodiscard]] base::WakeUp wake_up() const;

  [[nodiscard]] bool confirmed(const Topic& topic) const;
  [[nodiscard]] LinkHealth health() const noexcept { return health_; }
  // How many connections were lost that had been ready.
  [[nodiscard]] std::uint64_t breaks() const noexcept { return breaks_; }
  // When the server was last heard on a connection that was ready.
  [[nodiscard]] base::TimePoint heard_at() const noexcept { return heard_at_; }

 private:
  enum class Link : std::uint8_t { waiting, connecting, greeting, ready };
  struct Wanted {
    std::size_t count = 0;
    bool asked = false;
    bool confirmed = false;
  };

  void greet();
  void ask();
  [[nodiscard]] bool receive(base::TimePoint now);
  void take_line(const Push& push, base::TimePoint now);
  [[nodiscard]] bool take_array(const Push& push, base::TimePoint now, ChannelMessage& message);
  void lose(std::string_view reason, base::TimePoint now);
  void be_refused(std::string_view reason, base::TimePoint now);
  void disconnect();
  void say(LogKind kind, LogLevel level, std::string_view what, std::string_view detail,
           std::string_view meaning);

  const Settings settings_;
  const std::unique_ptr<RedisConnection> connection_;
  base::Log& log_;
  Backoff backoff_;
  PushParser parser_;

  std::map<Topic, Wanted> topics_;
  bool something_to_ask_ = false;

  Link link_ = Link::waiting;
  LinkHealth health_ = LinkHealth::connecting;
  base::TimePoint attempt_at_{};
  base::TimePoint heard_at_{};
  base::TimePoint pinged_at_{};
  std::uint64_t breaks_ = 0;
};

}  // namespace dualstream::redis
