#include "replay_targets.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <optional>
#include <span>
#include <thread>
#include <utility>

#include "dualstream/engine.h"
#include "dualstream/notifier.h"
#include "standard_output.h"
#include "update_text.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;

// How long one event may wait for room, or all of them for their answers.
constexpr milliseconds kPatience{60'000};
constexpr std::size_t kOutputBytes = 64 * 1024;

Status failed(const std::string& message) { return Status::error(StatusCode::rejected, message); }

// An id and a type are needed to publish and to announce; a record need not have told them.
EventView view_of(const Update& event, std::string& place) {
  place = std::to_string(event.partition) + ":" + std::to_string(event.offset);
  return {
      .id = event.id.empty() ? std::string_view{place} : event.id,
      .type = event.type.empty() ? std::string_view{"unknown"} : event.type,
      .source_type = event.source_type.empty() ? std::string_view{"unknown"} : event.source_type,
      .source_id = event.source_id,
      .payload = event.payload};
}

class StdoutTarget final : public ReplayTarget {
 public:
  explicit StdoutTarget(bool json) : json_(json) {}

  Status take(const Update& event) override {
    text_ += json_ ? update_json(event) : event.payload + "\n";
    return text_.size() < kOutputBytes ? Status{} : settle();
  }
  Status settle() override {
    const ExitCode written = text_.empty() ? ExitCode::ok : write_stdout(text_);
    text_.clear();
    return written == ExitCode::ok ? Status{} : failed("stdout takes no more");
  }

 private:
  const bool json_;
  std::string text_;
};

class TopicTarget final : public ReplayTarget {
 public:
  static Status open(Options options, std::unique_ptr<ReplayTarget>& target) {
    auto made = std::make_unique<TopicTarget>();
    options.on_outcomes = [&failures = made->failures_](std::span<const Outcome> outcomes) {
      for (const Outcome& outcome : outcomes) {
        if (outcome.kind == OutcomeKind::failed) failures += 1;
      }
    };
    if (Status status = Engine::open(std::move(options), made->engine_); !status.ok()) {
      return status;
    }
    made->publisher_.emplace(made->engine_->publisher());
    target = std::move(made);
    return {};
  }

  Status take(const Update& event) override {
    std::string place;
    const PublishResult result = publisher_->publish(view_of(event, place), kPatience);
    if (result == PublishResult::accepted) return {};
    return failed("the event at " + place + " was refused: " + std::string{name(result)});
  }
  Status settle() override {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (engine_->stats()[Counter::pending] > 0) {
      if (std::chrono::steady_clock::now() >= deadline) return failed("Kafka does not answer");
      std::this_thread::sleep_for(milliseconds{1});
    }
    if (failures_ == 0) return {};
    return failed(std::to_string(failures_.load()) + " events failed in Kafka");
  }

 private:
  std::atomic<std::uint64_t> failures_{0};
  std::unique_ptr<Engine> engine_;
  std::optional<Publisher> publisher_;
};

class RedisTarget final : public ReplayTarget {
 public:
  explicit RedisTarget(std::unique_ptr<Notifier> notifier) : notifier_(std::move(notifier)) {}

  Status take(const Update& event) override {
    std::string place;
    if (notifier_->notify(view_of(event, place), event.partition, event.offset, kPatience)) {
      return {};
    }
    return failed("Redis takes no notifications");
  }
  Status settle() override {
    if (!notifier_->drain(kPatience)) return failed("Redis does not answer");
    const NotifierStats stats = notifier_->stats();
    const std::uint64_t lost = stats.dropped + stats.unconfirmed;
    if (lost == 0) return {};
    return failed(std::to_string(lost) + " notifications may not have arrived");
  }

 private:
  std::unique_ptr<Notifier> notifier_;
};

}  // namespace

Status open_stdout_target(const Settings& settings, std::unique_ptr<ReplayTarget>& target) {
  target = std::make_unique<StdoutTarget>(settings.json);
  return {};
}

Status open_topic_target(const Settings& settings, Console& console,
                         std::unique_ptr<ReplayTarget>& target) {
  Options options = settings.engine;
  options.kafka.topic = settings.replay.to_topic;
  options.redis.address.clear();
  options.on_log = [&console](const LogLine& line) { console.log(line.level, text_of(line)); };
  return TopicTarget::open(std::move(options), target);
}

Status open_redis_target(const Settings& settings, Console& console,
                         std::unique_ptr<ReplayTarget>& target) {
  RedisOptions options = settings.engine.redis;
  options.channels = settings.replay.channels;
  std::unique_ptr<Notifier> notifier;
  const auto log = [&console](const LogLine& line) { console.log(line.level, text_of(line)); };
  if (Status status = Notifier::open(options, log, notifier); !status.ok()) return status;
  target = std::make_unique<RedisTarget>(std::move(notifier));
  return {};
}

}  // namespace dualstream::command
