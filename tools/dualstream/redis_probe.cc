#include "redis_probe.h"

#include <sys/time.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hiredis/hiredis.h>

#include "network_probe.h"
#include "redis/channel.h"
#include "redis/redis_address.h"
#include "text.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kSourceId = "dualstream-doctor";

// A clock that is further off shows in what people compare: logs, dashboards.
constexpr double kSkewSecondsMax = 1.0;

struct Free {
  void operator()(redisContext* context) const noexcept { ::redisFree(context); }
  void operator()(redisReply* reply) const noexcept { ::freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, Free>;

// One connection that waits for each answer.
class Connection {
 public:
  Connection(const redis::RedisAddress& address, milliseconds timeout) {
    const timeval limit{.tv_sec = timeout.count() / 1'000,
                        .tv_usec = timeout.count() % 1'000 * 1'000};
    context_.reset(address.unix_path.empty()
                       ? ::redisConnectWithTimeout(address.host.c_str(), address.port, limit)
                       : ::redisConnectUnixWithTimeout(address.unix_path.c_str(), limit));
    if (context_ && context_->err == 0) ::redisSetTimeout(context_.get(), limit);
  }

  // Empty when it is there.
  [[nodiscard]] std::string failure() const {
    if (!context_) return "no memory";
    return context_->err == 0 ? std::string{} : std::string{context_->errstr};
  }

  // Null when there is no answer.
  Reply ask(const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    return Reply{static_cast<redisReply*>(::redisCommandArgv(
        context_.get(), static_cast<int>(words.size()), texts.data(), sizes.data()))};
  }

  // The next answer, which was not asked for.
  Reply next() {
    void* reply = nullptr;
    if (::redisGetReply(context_.get(), &reply) != REDIS_OK) return nullptr;
    return Reply{static_cast<redisReply*>(reply)};
  }

  // What is wrong with a reply; empty for a good one.
  [[nodiscard]] std::string wrong_with(const Reply& reply) const {
    if (!reply) return failure().empty() ? "no answer" : failure();
    return reply->type == REDIS_REPLY_ERROR ? std::string{reply->str, reply->len} : std::string{};
  }

 private:
  std::unique_ptr<redisContext, Free> context_;
};

// What to do about an error of Redis.
std::string fix_of(std::string_view error) {
  if (error.starts_with("NOAUTH")) {
    return "Redis wants a password: give it in DUALSTREAM_REDIS_PASSWORD or with "
           "--redis-password-file.";
  }
  if (error.starts_with("WRONGPASS") || error.find("invalid password") != std::string_view::npos ||
      error.find("without any password configured") != std::string_view::npos) {
    return "Correct --redis-user and the password, or the user in Redis (ACL LIST).";
  }
  if (error.starts_with("NOPERM")) {
    return "Grant it in Redis: ACL SETUSER NAME +publish resetchannels &events:*.";
  }
  if (error.find("max number of clients") != std::string_view::npos) {
    return "Raise maxclients in Redis, or close what is not needed.";
  }
  return "Look at the server's log.";
}

Finding failed(const std::string& question, const std::string& error) {
  return {.verdict = Verdict::failed, .question = question, .answer = error, .fix = fix_of(error)};
}

// Empty, or the error.
std::string log_in(Connection& connection, const redis::RedisAddress& address) {
  if (!connection.failure().empty()) return connection.failure();
  if (!address.password.empty()) {
    std::vector<std::string> words{"AUTH", address.password};
    if (!address.username.empty()) words.insert(words.begin() + 1, address.username);
    if (std::string wrong = connection.wrong_with(connection.ask(words)); !wrong.empty()) {
      return wrong;
    }
  }
  // A user that may only publish may not PING: then it is known all the same that it is one.
  const std::string wrong = connection.wrong_with(connection.ask({"PING"}));
  return wrong.starts_with("NOPERM") ? std::string{} : wrong;
}

std::string message_text() {
  return concat({R"({"id":"doctor","type":"dualstream.doctor","source_id":")", kSourceId, "\"}"});
}

// PUBLISH alone, or with a subscriber of our own that has to hear of it.
void check_round_trip(Connection& publisher, const redis::RedisAddress& address,
                      const std::string& channel, milliseconds timeout, DoctorReport& report) {
  Connection subscriber{address, timeout};
  std::string not_subscribed = log_in(subscriber, address);
  if (not_subscribed.empty()) {
    not_subscribed = subscriber.wrong_with(subscriber.ask({"SUBSCRIBE", channel}));
  }
  const auto start = std::chrono::steady_clock::now();
  const Reply published = publisher.ask({"PUBLISH", channel, message_text()});
  if (const std::string wrong = publisher.wrong_with(published); !wrong.empty()) {
    report.push_back(failed("redis.publish", wrong));
  } else {
    report.push_back({.question = "redis.publish",
                      .answer = concat({"to ", channel, ", received ",
                                        std::to_string(published->integer), " times"})});
  }
  const bool was_published = report.back().verdict == Verdict::ok;
  if (!not_subscribed.empty()) {
    report.push_back({.verdict = Verdict::warning,
                      .question = "redis.subscribe",
                      .answer = not_subscribed,
                      .fix = "Right for one that only publishes; who reads needs a user with "
                             "+subscribe and the channels."});
    return;
  }
  if (!was_published) {
    report.push_back({.verdict = Verdict::skipped,
                      .question = "redis.subscribe",
                      .answer = "subscribed; there was nothing to hear"});
    return;
  }
  const Reply heard = subscriber.next();
  const auto took =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start);
  const bool right = heard && heard->type == REDIS_REPLY_ARRAY && heard->elements == 3 &&
                     message_text() == heard->element[2]->str;
  if (!right) {
    report.push_back(failed("redis.subscribe", concat({"published, and not heard on ", channel})));
    return;
  }
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "heard after %.1f ms", took.count());
  report.push_back({.question = "redis.subscribe", .answer = text.data()});
}

Finding clock_finding(Connection& connection) {
  using System = std::chrono::system_clock;
  Finding finding{.question = "redis.clock"};
  const System::time_point before = System::now();
  const Reply reply = connection.ask({"TIME"});
  const System::time_point after = System::now();
  if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
    finding.verdict = Verdict::skipped;
    finding.answer = "not told: " + connection.wrong_with(reply);
    return finding;
  }
  const double theirs = std::strtod(reply->element[0]->str, nullptr) +
                        std::strtod(reply->element[1]->str, nullptr) / 1e6;
  const double ours = std::chrono::duration<double>(before.time_since_epoch()).count() +
                      std::chrono::duration<double>(after - before).count() / 2;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.3f s %s ours", std::abs(theirs - ours),
                theirs < ours ? "behind" : "ahead of");
  finding.answer = text.data();
  if (std::abs(theirs - ours) > kSkewSecondsMax) {
    finding.verdict = Verdict::warning;
    finding.fix =
        "Set both clocks (NTP). Kafka refuses events that are an hour ahead of its own clock.";
  }
  return finding;
}

}  // namespace

void check_redis(const Options& options, DoctorReport& report) {
  if (options.redis.address.empty()) return;
  redis::RedisAddress address;
  std::vector<redis::ChannelTemplate> channels;
  Status status = redis::parse_redis_address(options.redis, address);
  if (status.ok()) {
    status =
        redis::parse_channel_templates(options.redis.channels, options.redis.buckets, channels);
  }
  if (!status.ok()) {
    report.push_back(
        {.verdict = Verdict::failed, .question = "redis.options", .answer = status.message});
    return;
  }
  const milliseconds timeout = options.redis.connect_timeout;
  if (address.unix_path.empty() &&
      !check_network({{.host = address.host, .port = std::to_string(address.port)}}, "redis",
                     timeout, report)) {
    return;
  }
  Connection connection{address, timeout};
  if (const std::string wrong = log_in(connection, address); !wrong.empty()) {
    report.push_back(failed("redis.login", wrong));
    return;
  }
  report.push_back({.question = "redis.login",
                    .answer = concat({"as ", address.username.empty() ? "the default user"
                                                                      : address.username})});
  const std::string& type = options.json.source_type;
  const std::string channel =
      channels.front().expand(type.starts_with('/') ? "doctor" : type, kSourceId);
  check_round_trip(connection, address, channel, timeout, report);
  report.push_back(clock_finding(connection));
}

}  // namespace dualstream::command
