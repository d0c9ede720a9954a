#include "redis/redis_subscription.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

namespace dualstream::redis {
namespace {

constexpr base::Duration kPingAfter = std::chrono::seconds{1};
// After an attempt that took its time the next one comes at once, but not quite.
constexpr base::Duration kPauseMin = std::chrono::milliseconds{50};
// Topics in one command.
constexpr std::size_t kTopicsPerCommand = 256;

}  // namespace

RedisSubscription::RedisSubscription(Settings settings, std::unique_ptr<RedisConnection> connection,
                                     base::Log& log)
    : settings_(std::move(settings)),
      connection_(std::move(connection)),
      log_(log),
      backoff_(settings_.backoff_seed) {}

void RedisSubscription::add(const Topic& topic) {
  Wanted& wanted = topics_[topic];
  wanted.count += 1;
  if (!wanted.asked) something_to_ask_ = true;
}

void RedisSubscription::remove(const Topic& topic) {
  const auto found = topics_.find(topic);
  if (found == topics_.end() || --found->second.count > 0) return;
  if (found->second.asked && link_ == Link::ready) {
    connection_->append(std::array<std::string_view, 2>{
        topic.is_pattern ? "PUNSUBSCRIBE" : "UNSUBSCRIBE", topic.name});
  }
  topics_.erase(found);
}

bool RedisSubscription::confirmed(const Topic& topic) const {
  const auto found = topics_.find(topic);
  return found != topics_.end() && found->second.confirmed;
}

std::size_t RedisSubscription::do_work(base::TimePoint now) {
  std::size_t work = 0;
  if (link_ == Link::waiting) {
    if (now < attempt_at_) return 0;
    attempt_at_ = now;
    link_ = Link::connecting;
    connection_->connect();
    work += 1;
  }
  if (link_ == Link::connecting) {
    const LinkState state = connection_->state();
    if (state == LinkState::closed) {
      lose(connection_->failure(), now);
      return 1;
    }
    if (state == LinkState::open) {
      greet();
      work += 1;
    }
  }
  if (link_ == Link::connecting || link_ == Link::greeting) {
    if (now - attempt_at_ >= settings_.connect_timeout) {
      lose("not ready within redis.connect_timeout", now);
      return 1;
    }
  }
  if (link_ == Link::ready) {
    if (now - heard_at_ >= settings_.silence_max) {
      lose("silent", now);
      return 1;
    }
    if (now - std::max(heard_at_, pinged_at_) >= kPingAfter && connection_->has_room()) {
      connection_->append(std::array<std::string_view, 1>{"PING"});
      pinged_at_ = now;
    }
    if (something_to_ask_) ask();
  }
  return work + (connection_->flush() > 0 ? 1 : 0);
}

void RedisSubscription::greet() {
  link_ = Link::greeting;
  if (!settings_.password.empty()) {
    const std::array<std::string_view, 3> auth{"AUTH", settings_.username, settings_.password};
    const std::array<std::string_view, 2> auth_default{"AUTH", settings_.password};
    connection_->append(settings_.username.empty() ? std::span<const std::string_view>{auth_default}
                                                   : std::span<const std::string_view>{auth});
  }
  // A stopped server's system still accepts connections: only an answer proves that it is there.
  connection_->append(std::array<std::string_view, 1>{"PING"});
}

// Never more than there is room for: what is left waits for the next cycle.
void RedisSubscription::ask() {
  something_to_ask_ = false;
  for (const bool patterns : {false, true}) {
    std::vector<std::string_view> command{patterns ? "PSUBSCRIBE" : "SUBSCRIBE"};
    for (auto& [topic, wanted] : topics_) {
      if (topic.is_pattern != patterns || wanted.asked) continue;
      if (command.size() > kTopicsPerCommand || !connection_->has_room()) {
        something_to_ask_ = true;
        break;
      }
      command.emplace_back(topic.name);
      wanted.asked = true;
    }
    if (command.size() > 1) connection_->append(command);
  }
}

bool RedisSubscription::next(base::TimePoint now, ChannelMessage& message) {
  while (link_ == Link::greeting || link_ == Link::ready) {
    Push push;
    const PushParser::Result result = parser_.next(push);
    if (result == PushParser::Result::broken) {
      lose("protocol error: not what Redis sends to a subscriber", now);
    } else if (result == PushParser::Result::more) {
      if (!receive(now)) return false;
    } else if (push.kind != Push::Kind::array) {
      take_line(push, now);
    } else if (take_array(push, now, message)) {
      return true;
    }
  }
  return false;
}

// False when nothing has arrived.
bool RedisSubscription::receive(base::TimePoint now) {
  if (connection_->receive_into(parser_.buffer())) {
    if (link_ == Link::ready) heard_at_ = now;
    return true;
  }
  if (connection_->state() == LinkState::closed) lose(connection_->failure(), now);
  return false;
}

void RedisSubscription::take_line(const Push& push, base::TimePoint now) {
  const std::string text{push.parts[0]};
  if (push.kind == Push::Kind::error) {
    be_refused(text, now);
    return;
  }
  if (text != "PONG" || link_ != Link::greeting) return;
  link_ = Link::ready;
  health_ = LinkHealth::ready;
  heard_at_ = now;
  something_to_ask_ = true;
  backoff_.reset();
  say(LogKind::redis_connected, LogLevel::info, "listening", "", "");
}

bool RedisSubscription::take_array(const Push& push, base::TimePoint now, ChannelMessage& message) {
  const std::string_view kind = push.parts[0];
  if (kind == "message" && push.count == 3) {
    message = {.pattern = {}, .channel = push.parts[1], .text = push.parts[2]};
    return true;
  }
  if (kind == "pmessage" && push.count == 4) {
    message = {.pattern = push.parts[1], .channel = push.parts[2], .text = push.parts[3]};
    return true;
  }
  if ((kind == "subscribe" || kind == "psubscribe") && push.count == 3) {
    const auto found =
        topics_.find({.is_pattern = kind == "psubscribe", .name = std::string{push.parts[1]}});
    if (found != topics_.end()) found->second.confirmed = true;
    return false;
  }
  if (kind == "unsubscribe" || kind == "punsubscribe" || kind == "pong") return false;
  lose("protocol error: not what Redis sends to a subscriber", now);
  return false;
}

void RedisSubscription::lose(std::string_view reason, base::TimePoint now) {
  if (health_ != LinkHealth::away) {
    say(LogKind::redis_lost, LogLevel::warning, "lost", reason,
        "updates are read from Kafka until it is back; connecting goes on");
  }
  const bool was_ready = link_ == Link::ready;
  const base::Duration delay = backoff_.after_network_failure();
  disconnect();
  health_ = LinkHealth::away;
  attempt_at_ = was_ready ? now + delay : std::max(attempt_at_ + delay, now + kPauseMin);
}

void RedisSubscription::be_refused(std::string_view reason, base::TimePoint now) {
  if (health_ != LinkHealth::refused) {
    say(LogKind::redis_refused, LogLevel::error, "refuses us", reason,
        "updates are read from Kafka; check redis.username, redis.password and the user's right "
        "to the channels (ACL SETUSER ... &CHANNEL)");
  }
  disconnect();
  health_ = LinkHealth::refused;
  attempt_at_ = now + backoff_.after_refusal();
}

void RedisSubscription::disconnect() {
  if (link_ == Link::ready) breaks_ += 1;
  link_ = Link::waiting;
  connection_->close();
  parser_.reset();
  for (auto& [topic, wanted] : topics_) {
    wanted.asked = false;
    wanted.confirmed = false;
  }
}

base::WakeUp RedisSubscription::wake_up() const {
  base::WakeUp wake_up;
  if (link_ != Link::waiting) {
    wake_up.fd = connection_->fd();
    wake_up.want_write = connection_->wants_write();
  }
  switch (link_) {
    case Link::waiting:
      wake_up.at = attempt_at_;
      break;
    case Link::connecting:
    case Link::greeting:
      wake_up.at = attempt_at_ + settings_.connect_timeout;
      break;
    case Link::ready:
      wake_up.at =
          std::min(std::max(heard_at_, pinged_at_) + kPingAfter, heard_at_ + settings_.silence_max);
      break;
  }
  return wake_up;
}

void RedisSubscription::say(LogKind kind, LogLevel level, std::string_view what,
                            std::string_view detail, std::string_view meaning) {
  std::string line = "redis: ";
  line.append(what).append(" (").append(settings_.address_text).append(")");
  if (!detail.empty()) line.append(": ").append(detail);
  if (!meaning.empty()) line.append("; ").append(meaning);
  log_.write(kind, level, line, {{"address", settings_.address_text}, {"reason", detail}});
}

}  // namespace dualstream::redis
