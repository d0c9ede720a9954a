#include "redis_probe.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "network_probe.h"
#include "redis/channel.h"
#include "redis/redis_address.h"
#include "redis_client.h"
#include "text.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kSourceId = "dualstream-doctor";

// A clock that is further off shows in what people compare: logs, dashboards.
constexpr double kSkewSecondsMax = 1.0;

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
  if (error.starts_with("TLS")) {
    return "Write redis:// for a server without TLS, and give the authority of its certificate "
           "with --redis-ca-file.";
  }
  if (error.starts_with("NOPERM")) {
    return "Grant it in Redis: ACL SETUSER NAME +publish resetchannels &events:*.";
  }
  if (error.find("max number of clients") != std::string_view::npos) {
    return "Raise maxclients in Redis, or close what is not needed.";
  }
  return "Look at the server's log. A port with TLS wants rediss://, one without it redis://.";
}

Finding failed(const std::string& question, const std::string& error) {
  return {.verdict = Verdict::failed, .question = question, .answer = error, .fix = fix_of(error)};
}

// Empty, or the error.
std::string log_in(RedisClient& client) {
  if (std::string wrong = client.connect(); !wrong.empty()) return wrong;
  // A user that may only publish may not PING: then it is known all the same that it is one.
  const std::string wrong = client.wrong_with(client.ask({"PING"}));
  return wrong.starts_with("NOPERM") ? std::string{} : wrong;
}

std::string message_text() {
  return concat({R"({"id":"doctor","type":"dualstream.doctor","source_id":")", kSourceId, "\"}"});
}

// PUBLISH alone, or with a subscriber of our own that has to hear of it.
void check_round_trip(RedisClient& publisher, const std::string& channel, milliseconds timeout,
                      DoctorReport& report) {
  RedisClient subscriber{publisher.address(), timeout};
  std::string not_subscribed = log_in(subscriber);
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
                     message_text() == text_of(*heard->element[2]);
  if (!right) {
    report.push_back(failed("redis.subscribe", concat({"published, and not heard on ", channel})));
    return;
  }
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "heard after %.1f ms", took.count());
  report.push_back({.question = "redis.subscribe", .answer = text.data()});
}

Finding clock_finding(RedisClient& connection) {
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
  RedisClient connection{address, timeout};
  if (const std::string wrong = log_in(connection); !wrong.empty()) {
    report.push_back(failed("redis.login", wrong));
    return;
  }
  report.push_back({.question = "redis.login",
                    .answer = concat({"as ", address.username.empty() ? "the default user"
                                                                      : address.username})});
  const std::string& type = options.json.source_type;
  const std::string channel =
      channels.front().expand(type.starts_with('/') ? "doctor" : type, kSourceId);
  check_round_trip(connection, channel, timeout, report);
  report.push_back(clock_finding(connection));
}

}  // namespace dualstream::command
