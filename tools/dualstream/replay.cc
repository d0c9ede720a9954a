// dualstream replay: events of a topic once more, by offset or time: to stdout, another topic or
// Redis.
//
//   find the stretch of each partition -> read in turns -> filter -> target -> position file
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "commands.h"
#include "console.h"
#include "dualstream/history.h"
#include "moment.h"
#include "option_table.h"
#include "replay_targets.h"
#include "signals.h"
#include "state_file.h"
#include "stop_request.h"
#include "text.h"
#include "units.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr milliseconds kPatience{10'000};

Status usage_error(const std::string& message) {
  return Status::error(StatusCode::invalid_options, message);
}

struct Ends {
  std::optional<system_clock::time_point> time;
  std::map<std::int32_t, std::int64_t> offsets;
};

Status read_end(const std::string& text, Ends& ends) {
  if (const auto place = parse_place(text)) {
    ends.offsets.insert(*place);
    return {};
  }
  ends.time = parse_moment(text, system_clock::now());
  if (ends.time) return {};
  return usage_error("`" + text + "` is neither a time (2026-01-31T12:00:00Z, 10m) nor " +
                     "PARTITION:OFFSET");
}

// Lets through so many events a second.
class Pace {
 public:
  explicit Pace(std::optional<std::uint64_t> rate) : rate_(rate) {}

  void wait() {
    if (!rate_) return;
    count_ += 1;
    const auto due =
        began_ + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(
                     static_cast<double>(count_) / static_cast<double>(*rate_)));
    std::this_thread::sleep_until(due);
  }

 private:
  const std::optional<std::uint64_t> rate_;
  const steady_clock::time_point began_ = steady_clock::now();
  std::uint64_t count_ = 0;
};

class Replay {
 public:
  Replay(const Settings& settings, Console& console, const StopRequest& stop)
      : settings_(settings), console_(console), stop_(stop), pace_(settings.replay.rate) {}

  Status open() {
    const ReplaySettings& replay = settings_.replay;
    const int targets =
        (replay.to_stdout ? 1 : 0) + (replay.to_topic.empty() ? 0 : 1) + (replay.to_redis ? 1 : 0);
    if (targets != 1) return usage_error("give one of --to-stdout, --to-topic and --to-redis");
    if (replay.to_topic == settings_.engine.kafka.topic) {
      return usage_error("--to-topic: " + replay.to_topic + " is what is read; name another");
    }
    if (replay.rate && *replay.rate == 0) return usage_error("--rate: 0 would never end");
    for (const std::string& channel : replay.channels) {
      const auto& live = settings_.engine.redis.channels;
      if (replay.to_redis && std::ranges::find(live, channel) != live.end()) {
        return usage_error("--replay-channel: " + channel +
                           " carries live events; their readers would see time run backwards");
      }
    }
    Ends from;
    Ends to;
    if (!settings_.replay.from_time.empty()) {
      if (Status status = read_end(replay.from_time, from); !status.ok()) return status;
    }
    for (const std::string& text : settings_.tail.from_offset) {
      if (Status status = read_end(text, from); !status.ok()) return status;
    }
    for (const std::string& text : replay.to) {
      if (Status status = read_end(text, to); !status.ok()) return status;
    }
    if (!from.time && from.offsets.empty()) {
      return usage_error("--from-offset PARTITION:OFFSET or --from-time is required");
    }
    if (Status status = History::open(settings_.engine.kafka, settings_.engine.json, history_);
        !status.ok()) {
      return status;
    }
    if (Status status = find_stretches(from, to); !status.ok()) return status;
    if (Status status = resume(); !status.ok()) return status;
    return open_target();
  }

  Status run() {
    for (bool more = true; more && !stop_.requested();) {
      more = false;
      for (HistoryRange& range : stretches_) {
        if (range.from >= range.to || stop_.requested()) continue;
        if (Status status = take_part(range); !status.ok()) return status;
        more = true;
      }
      if (Status status = remember(); !status.ok()) return status;
    }
    return remember();
  }

  [[nodiscard]] std::uint64_t replayed() const noexcept { return replayed_; }
  [[nodiscard]] std::uint64_t gone() const noexcept { return gone_; }
  [[nodiscard]] bool complete() const {
    return std::ranges::all_of(stretches_,
                               [](const HistoryRange& range) { return range.from >= range.to; });
  }

 private:
  Status find_end(std::int32_t partition, const Ends& ends, std::int64_t otherwise,
                  std::int64_t& offset) {
    offset = otherwise;
    const auto named = ends.offsets.find(partition);
    if (named != ends.offsets.end()) {
      offset = named->second;
    } else if (ends.time) {
      return history_->offset_at(partition, *ends.time, kPatience, offset);
    }
    return {};
  }

  // Partitions that no offset names are left out where only offsets are given.
  Status find_stretches(const Ends& from, const Ends& to) {
    std::int32_t count = 0;
    if (Status status = history_->partitions(kPatience, count); !status.ok()) return status;
    for (std::int32_t partition = 0; partition < count; ++partition) {
      if (!from.time && !from.offsets.contains(partition)) continue;
      HistoryBounds bounds;
      if (Status status = history_->bounds(partition, kPatience, bounds); !status.ok()) {
        return status;
      }
      HistoryRange range{.partition = partition};
      if (Status status = find_end(partition, from, bounds.begin, range.from); !status.ok()) {
        return status;
      }
      if (Status status = find_end(partition, to, bounds.end, range.to); !status.ok()) {
        return status;
      }
      range.to = std::min(range.to, bounds.end);
      stretches_.push_back(range);
    }
    return {};
  }

  // The file holds "PARTITION:OFFSET" a line: where each goes on.
  Status resume() {
    if (settings_.replay.position_file.empty()) return {};
    if (Status status = StateFile::open(settings_.replay.position_file, position_); !status.ok()) {
      return status;
    }
    std::optional<std::string> text;
    if (Status status = position_->read(text); !status.ok()) return status;
    if (!text) return {};
    for (std::size_t begin = 0; begin < text->size();) {
      const std::size_t end = std::min(text->find('\n', begin), text->size());
      const auto place = parse_place(std::string_view{*text}.substr(begin, end - begin));
      if (!place) {
        return usage_error(settings_.replay.position_file +
                           " is no position file; name another, or remove it");
      }
      for (HistoryRange& range : stretches_) {
        if (range.partition == place->first) range.from = std::max(range.from, place->second);
      }
      begin = end + 1;
    }
    return {};
  }

  Status open_target() {
    if (settings_.replay.to_stdout) return open_stdout_target(settings_, target_);
    if (settings_.replay.to_redis) return open_redis_target(settings_, console_, target_);
    return open_topic_target(settings_, console_, target_);
  }

  Status take_part(HistoryRange& range) {
    HistoryPart part;
    if (Status status = history_->read(range, milliseconds{1'000}, part); !status.ok()) {
      // A broker that restarts is waited for.
      failing_since_ = failing_since_ ? failing_since_ : steady_clock::now();
      if (steady_clock::now() - *failing_since_ < kPatience) return {};
      return status;
    }
    failing_since_.reset();
    if (part.begin > range.from) {
      console_.say("partition " + std::to_string(range.partition) + ": offsets " +
                   std::to_string(range.from) + " to " + std::to_string(part.begin - 1) +
                   " are no longer in Kafka");
      gone_ += 1;
      range.from = std::min(part.begin, range.to);
      return {};
    }
    for (const Update& event : part.updates) {
      if (stop_.requested()) {
        range.from = event.offset;
        return {};
      }
      if (!wanted(event)) continue;
      pace_.wait();
      if (Status status = target_->take(event); !status.ok()) return status;
      replayed_ += 1;
    }
    range.from = part.next;
    return {};
  }

  [[nodiscard]] bool wanted(const Update& event) const {
    const ReplaySettings& replay = settings_.replay;
    const std::string whole = event.source_type + ":" + event.source_id;
    const auto names = [&](const std::string& source) {
      return source == whole || source == event.source_id;
    };
    return (replay.sources.empty() || std::ranges::any_of(replay.sources, names)) &&
           (replay.types.empty() ||
            std::ranges::find(replay.types, event.type) != replay.types.end());
  }

  Status remember() {
    if (Status status = target_->settle(); !status.ok()) return status;
    if (!position_) return {};
    std::string text;
    for (const HistoryRange& range : stretches_) {
      text += std::to_string(range.partition) + ":" + std::to_string(range.from) + "\n";
    }
    return position_->write(text);
  }

  const Settings& settings_;
  Console& console_;
  const StopRequest& stop_;
  Pace pace_;
  std::unique_ptr<History> history_;
  std::unique_ptr<StateFile> position_;
  std::unique_ptr<ReplayTarget> target_;
  std::vector<HistoryRange> stretches_;
  std::optional<steady_clock::time_point> failing_since_;
  std::uint64_t replayed_ = 0;
  std::uint64_t gone_ = 0;
};

ExitCode exit_code_of(const Status& status) {
  if (status.ok()) return ExitCode::ok;
  if (status.code == StatusCode::invalid_options) return ExitCode::usage;
  return status.code == StatusCode::rejected ? ExitCode::undelivered : ExitCode::unreachable;
}

ExitCode run(const Configuration& configuration, const std::vector<std::string>& /*operands*/) {
  const Settings& settings = configuration.settings;
  Console console{{.log_level = settings.quiet && settings.log_level < LogLevel::warning
                                    ? LogLevel::warning
                                    : settings.log_level,
                   .terminal = stderr_is_terminal()}};
  const auto refuse = [&](const Status& status) {
    console.say("dualstream: " + with_origin(status.message, configuration));
    return exit_code_of(status);
  };
  std::unique_ptr<StopRequest> stop;
  if (const Status status = StopRequest::make(milliseconds{0}, stop); !status.ok()) {
    return refuse(status);
  }
  std::unique_ptr<Signals> signals;
  if (const Status status = Signals::start(console, *stop, signals); !status.ok()) {
    return refuse(status);
  }
  Replay replay{settings, console, *stop};
  if (const Status status = replay.open(); !status.ok()) return refuse(status);
  const Status status = replay.run();
  if (!settings.quiet) {
    console.say(concat({grouped(replay.replayed()), " events replayed",
                        replay.complete() ? "" : "; it ended before all were"}));
  }
  if (!status.ok()) return refuse(status);
  return replay.gone() > 0 ? ExitCode::undelivered : ExitCode::ok;
}

Status check(const Configuration& configuration) {
  Status status = validate(configuration.settings.engine);
  status.message = with_origin(status.message, configuration);
  return status;
}

}  // namespace

constinit const Command kReplay{
    .name = "replay",
    .bit = kForReplay,
    .summary = "Read events once more, by offset or time, to stdout, another topic or Redis.",
    .operands = "",
    .about =
        R"(Reads a stretch of the topic, each partition in order, and gives its events to stdout, to
another topic, or announces them on channels of their own (replay:...), so that readers of live
events never see time run backwards. With --position FILE it goes on where it ended, also after
kill -9: what had not arrived for sure is given once more.
)",
    .notes = R"(Examples:
  dualstream replay --config ingest.conf --from-time 2026-01-31 --to-stdout > events.ndjson
  dualstream replay --config ingest.conf --from-offset 0:0 --to 0:1000 --to-topic copy --rate 500
  dualstream replay --config ingest.conf --from-time 1h --to-redis --position replay.position

Exit codes:
    0  All of it was replayed, or a signal ended it.
    1  Some was no longer in Kafka, or could not be given on.
    2  A flag, a variable or a config file cannot be used.
    3  Kafka cannot be reached, refuses the credentials or has no such topic.
  130  A second signal ended it at once.
)",
    .check = check,
    .run = run,
};

}  // namespace dualstream::command
