// dualstream tail: a live view of sources, channels or patterns, with Kafka behind it.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "console.h"
#include "dualstream/subscriber.h"
#include "moment.h"
#include "option_table.h"
#include "signals.h"
#include "standard_output.h"
#include "stop_request.h"
#include "text.h"
#include "units.h"
#include "update_text.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;

Status usage_error(const std::string& message) {
  return Status::error(StatusCode::invalid_options, message);
}

// "repo:owner/repo", or "owner/repo" where source-type is a constant.
Status read_source(const std::string& text, const Settings& settings, SourceName& source) {
  const std::string& type = settings.engine.json.source_type;
  const std::size_t colon = text.find(':');
  if (colon != std::string::npos) {
    source = {.source_type = text.substr(0, colon), .source_id = text.substr(colon + 1)};
    return {};
  }
  if (type.starts_with('/')) {
    return usage_error("`" + text + "` names no source_type; write TYPE:" + text);
  }
  source = {.source_type = type, .source_id = text};
  return {};
}

Status read_from(const Settings& settings, From& from) {
  const int given = (settings.tail.last.empty() ? 0 : 1) + (settings.tail.since.empty() ? 0 : 1) +
                    (settings.tail.from_offset.empty() ? 0 : 1);
  if (given > 1) return usage_error("of --last, --since and --from-offset only one can be given");
  if (!settings.tail.last.empty()) {
    const auto count = parse_count(settings.tail.last);
    if (!count) return usage_error("--last: `" + settings.tail.last + "` is not a whole number");
    from = From::last(static_cast<std::size_t>(*count));
    return {};
  }
  if (!settings.tail.since.empty()) {
    const auto time = parse_moment(settings.tail.since, std::chrono::system_clock::now());
    if (!time) {
      return usage_error("--since: `" + settings.tail.since +
                         "` is neither a duration (10m) nor a time (2026-01-31T12:00:00Z)");
    }
    from = From::since(*time);
    return {};
  }
  std::vector<std::pair<std::int32_t, std::int64_t>> places;
  for (const std::string& text : settings.tail.from_offset) {
    const auto place = parse_place(text);
    if (!place) return usage_error("--from-offset: `" + text + "` is not PARTITION:OFFSET");
    places.push_back(*place);
  }
  if (!places.empty()) from = From::offset(std::move(places));
  return {};
}

Status read_options(const Settings& settings, const std::vector<std::string>& operands,
                    SubscriptionOptions& options) {
  for (const std::string& operand : operands) {
    SourceName source;
    if (Status status = read_source(operand, settings, source); !status.ok()) return status;
    options.sources.push_back(std::move(source));
  }
  for (const std::string& listen : settings.tail.listen) {
    const bool is_pattern = listen.find_first_of("*?[") != std::string::npos;
    (is_pattern ? options.patterns : options.channels).push_back(listen);
  }
  options.payload = settings.tail.payload;
  if (options.sources.empty() && options.channels.empty() && options.patterns.empty()) {
    return usage_error("nothing to listen to; name a SOURCE, or --listen CHANNEL or PATTERN");
  }
  if (Status status = read_from(settings, options.from); !status.ok()) return status;
  return validate(options);
}

SubscriberOptions subscriber_options(const Settings& settings) {
  SubscriberOptions options;
  options.kafka = settings.engine.kafka;
  options.redis = settings.engine.redis;
  options.json = settings.engine.json;
  return options;
}

// A source whose type or id is not written as its events have it is silent for ever.
constexpr std::chrono::seconds kSilenceTold{5};

std::string silence_hint(const SubscriptionOptions& wanted) {
  std::string names;
  for (const SourceName& source : wanted.sources) {
    names += concat({names.empty() ? "" : ", ", source.source_type, ":", source.source_id});
  }
  for (const auto* listens : {&wanted.channels, &wanted.patterns}) {
    for (const std::string& listen : *listens) names += concat({names.empty() ? "" : ", ", listen});
  }
  return concat(
      {"tail: nothing came yet from ", names,
       "; if it should have, look at what is published: dualstream tail --listen "
       "'events:*' shows each event with its TYPE:ID, and dualstream doctor the servers"});
}

// How many updates the command ends after.
std::uint64_t count_max(const Settings& settings) {
  return settings.tail.count.value_or(~std::uint64_t{0});
}

std::string summary(const SubscriptionStats& stats, std::uint64_t shown) {
  return concat({grouped(shown), " updates (", grouped(stats.live), " live, ",
                 grouped(stats.history), " from Kafka); ", grouped(stats.gaps_healed),
                 " gaps healed, ", grouped(stats.gaps_lost), " could not be; ",
                 grouped(stats.repeats), " repeats dropped"});
}

ExitCode follow(const Settings& settings, Subscription& subscription, const StopRequest& stop,
                Console& console, std::string hint, std::uint64_t& shown) {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  const bool json = settings.json || !terminal;
  const auto start = std::chrono::steady_clock::now();
  std::vector<Update> updates;
  while (!stop.requested() && shown < count_max(settings)) {
    subscription.receive(updates, milliseconds{100});
    if (shown == 0 && updates.empty() && !hint.empty() &&
        std::chrono::steady_clock::now() - start >= kSilenceTold) {
      console.log(LogLevel::info, std::exchange(hint, {}));
    }
    std::string text;
    for (const Update& update : updates) {
      if (shown >= count_max(settings)) break;
      shown += update.kind == UpdateKind::event ? 1 : 0;
      text += json ? update_json(update) : update_line(update, terminal);
    }
    if (text.empty()) continue;
    if (const ExitCode written = write_stdout(text); written != ExitCode::ok) return written;
  }
  return ExitCode::ok;
}

ExitCode run(const Configuration& configuration, const std::vector<std::string>& operands) {
  const Settings& settings = configuration.settings;
  Console console{{.log_level = settings.quiet && settings.log_level < LogLevel::warning
                                    ? LogLevel::warning
                                    : settings.log_level,
                   .terminal = stderr_is_terminal()}};
  const auto refuse = [&](ExitCode code, const std::string& message) {
    console.say("dualstream: " + message);
    return code;
  };
  SubscriptionOptions wanted;
  if (const Status status = read_options(settings, operands, wanted); !status.ok()) {
    return refuse(ExitCode::usage, status.message);
  }
  std::unique_ptr<StopRequest> stop;
  if (const Status status = StopRequest::make(milliseconds{0}, stop); !status.ok()) {
    return refuse(ExitCode::undelivered, status.message);
  }
  std::unique_ptr<Signals> signals;
  if (const Status status = Signals::start(console, *stop, signals); !status.ok()) {
    return refuse(ExitCode::undelivered, status.message);
  }
  SubscriberOptions options = subscriber_options(settings);
  options.on_log = [&console](const LogLine& line) { console.log(line.level, text_of(line)); };
  std::unique_ptr<Subscriber> subscriber;
  if (const Status status = Subscriber::open(std::move(options), subscriber); !status.ok()) {
    return refuse(
        status.code == StatusCode::invalid_options ? ExitCode::usage : ExitCode::unreachable,
        with_origin(status.message, configuration));
  }
  std::unique_ptr<Subscription> subscription;
  std::string hint = silence_hint(wanted);
  if (const Status status = subscriber->subscribe(std::move(wanted), subscription); !status.ok()) {
    return refuse(ExitCode::usage, status.message);
  }
  std::uint64_t shown = 0;
  const ExitCode code = follow(settings, *subscription, *stop, console, std::move(hint), shown);
  const SubscriptionStats stats = subscription->stats();
  if (!settings.quiet) console.say(summary(stats, shown));
  return code == ExitCode::ok && stats.gaps_lost > 0 ? ExitCode::undelivered : code;
}

Status check(const Configuration& configuration) {
  Status status = validate(subscriber_options(configuration.settings));
  status.message = with_origin(status.message, configuration);
  return status;
}

}  // namespace

constinit const Command kTail{
    .name = "tail",
    .bit = kForTail,
    .summary = "Show events as they are published, and those missed before or in between.",
    .operands = "[SOURCE...]",
    .about =
        R"(Shows each event of the sources, channels or patterns once, in order for each source, as soon as
it is announced. What a break of the connection to Redis, a restart or a slow terminal left out is
read from Kafka; where Kafka cannot give it either, a GAP says so. Without --redis Kafka alone is
read, every second.

A SOURCE is TYPE:ID, such as repo:owner/repo, or just ID where source-type is a constant. On a
terminal a line for people stands for each event, else an object of JSON. Ctrl-C ends it, and what
was healed stands on stderr.
)",
    .notes =
        R"(Examples:
  dualstream tail --brokers localhost:9092 --topic events --redis localhost:6379 owner/repo
  dualstream tail --config ingest.conf --last 100 --payload repo:owner/repo
  dualstream tail --config ingest.conf --listen 'events:repo:*' --since 10m | jq .type

Exit codes:
    0  Ended by a signal or --count, and every event was shown.
    1  Some could not be: a GAP says where.
    2  A flag, a variable or a config file cannot be used.
    3  Kafka cannot be reached, refuses the credentials or has no such topic.
    6  stdout could not be written.
  130  A second signal ended it at once.
)",
    .check = check,
    .run = run,
};

}  // namespace dualstream::command
