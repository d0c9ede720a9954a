#include "dualstream/subscriber.h"

#include <algorithm>
#include <random>
#include <utility>

#include "base/log.h"
#include "base/parker.h"
#include "base/worker.h"
#include "kafka/librdkafka_reader.h"
#include "redis/hiredis_connection.h"
#include "redis/redis_address.h"
#include "subscriber/await_topic.h"
#include "subscriber/history_worker.h"
#include "subscriber/selection.h"
#include "subscriber/subscriber_worker.h"
#include "subscriber/subscription_impl.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;

template <typename T>
Status in_range(const char* field, T value, T low, T high, const char* text) {
  if (value >= low && value <= high) return {};
  return Status::error(StatusCode::invalid_options, std::string{field} + " has to be " + text);
}

Status first_error(std::initializer_list<Status> checks) {
  for (const Status& check : checks) {
    if (!check.ok()) return check;
  }
  return {};
}

std::unique_ptr<redis::RedisSubscription> make_subscription(const RedisOptions& options,
                                                            const redis::RedisAddress& address,
                                                            base::Log& log) {
  if (options.address.empty()) return nullptr;
  return std::make_unique<redis::RedisSubscription>(
      redis::RedisSubscription::Settings{.connect_timeout = options.connect_timeout,
                                         .silence_max = options.reply_timeout,
                                         .address_text = address.text(),
                                         .username = address.username,
                                         .password = address.password,
                                         .backoff_seed = std::random_device{}()},
      redis::make_hiredis_connection(address), log);
}

}  // namespace

Status validate(const SubscriberOptions& options) {
  Options both;
  both.kafka = options.kafka;
  both.redis = options.redis;
  both.json = options.json;
  return first_error({
      validate(both),
      in_range("subscriber.notification_delay_max", options.notification_delay_max,
               milliseconds{1'000}, milliseconds{600'000}, "1 s to 10 min"),
      in_range("subscriber.outage_poll", options.outage_poll, milliseconds{100},
               milliseconds{3'600'000}, "100 ms to 1 h"),
      in_range<std::size_t>("subscriber.sources_remembered_max", options.sources_remembered_max, 1,
                            1U << 24, "1 to 16,777,216"),
      in_range<std::size_t>("subscriber.payload_cache_bytes_max", options.payload_cache_bytes_max,
                            0, std::size_t{1} << 34, "0 to 16 GiB"),
  });
}

Status validate(const SubscriptionOptions& options) {
  if (options.sources.empty() && options.channels.empty() && options.patterns.empty()) {
    return Status::error(StatusCode::invalid_options,
                         "the subscription wants nothing; name a source, a channel or a pattern");
  }
  for (const SourceName& source : options.sources) {
    if (source.source_type.empty() || source.source_id.empty()) {
      return Status::error(StatusCode::invalid_options,
                           "subscription.sources: a source needs a type and an id");
    }
  }
  const bool by_count = options.from.kind == FromKind::last;
  return first_error({
      in_range<std::size_t>("subscription.from.count", by_count ? options.from.count : 1, 1,
                            100'000, "1 to 100,000"),
      in_range<std::size_t>("subscription.queue_updates_max", options.queue_updates_max, 16,
                            1U << 20, "16 to 1,048,576"),
      in_range<std::size_t>("subscription.queue_bytes_max", options.queue_bytes_max, 64 * 1024,
                            std::size_t{1} << 32, "64 KiB to 4 GiB"),
      in_range<std::int64_t>("subscription.history_offsets_max", options.history_offsets_max, 1,
                             1'000'000'000, "1 to 1,000,000,000"),
  });
}

// Owns the two threads, in the order in which they are taken down.
class SubscriberImpl {
 public:
  explicit SubscriberImpl(SubscriberOptions options)
      : options_(std::move(options)), log_(options_.on_log) {}

  ~SubscriberImpl() {
    if (worker_) worker_->stop();
    worker_thread_.join();
    if (history_) history_->stop();
    history_thread_.join();
  }
  SubscriberImpl(const SubscriberImpl&) = delete;
  SubscriberImpl& operator=(const SubscriberImpl&) = delete;

  Status open() {
    if (!parker_.ok()) return no_descriptor();
    if (Status status = redis::parse_channel_templates(options_.redis.channels,
                                                       options_.redis.buckets, templates_);
        !status.ok()) {
      return status;
    }
    redis::RedisAddress address;
    if (!options_.redis.address.empty()) {
      if (Status status = redis::parse_redis_address(options_.redis, address); !status.ok()) {
        return status;
      }
    }
    std::unique_ptr<kafka::KafkaReader> reader;
    if (Status status = kafka::make_librdkafka_reader(options_.kafka, reader); !status.ok()) {
      return status;
    }
    // As Engine::open(): a cluster that does not answer is waited for later, one that refuses is an
    // error now.
    Status status = subscriber::await_topic(*reader, options_.kafka);
    if (status.code == StatusCode::unreachable && !options_.kafka.required_at_open) {
      log_.write(LogKind::kafka_unreachable, LogLevel::warning,
                 status.message + "; live updates go on meanwhile");
    } else if (!status.ok()) {
      return status;
    }
    history_ = std::make_unique<subscriber::HistoryWorker>(std::move(reader), parker_);
    if (!history_->parker().ok()) return no_descriptor();
    worker_ = std::make_unique<subscriber::SubscriberWorker>(
        subscriber::SubscriberWorker::Settings{
            .templates = templates_,
            .notification_delay_max = options_.notification_delay_max,
            .outage_poll = options_.outage_poll,
            .sources_remembered_max = options_.sources_remembered_max,
            .payload_cache_bytes_max = options_.payload_cache_bytes_max,
            .json = options_.json},
        make_subscription(options_.redis, address, log_), *history_, parker_, log_);
    if (!history_thread_.start("ds-history", *history_, history_->parker()) ||
        !worker_thread_.start("ds-subscriber", *worker_, parker_)) {
      return Status::error(StatusCode::exhausted,
                           "the system refused a thread; raise its limit on processes (ulimit -u)");
    }
    return {};
  }

  Status subscribe(SubscriptionOptions options, std::unique_ptr<Subscription>& subscription) {
    if (Status status = validate(options); !status.ok()) return status;
    subscriber::Selection selection;
    if (Status status = subscriber::Selection::make(options, templates_, selection); !status.ok()) {
      return status;
    }
    auto shared =
        std::make_shared<SubscriptionImpl>(std::move(options), std::move(selection), parker_);
    worker_->add(shared);
    subscription = std::make_unique<Subscription>(std::move(shared));
    return {};
  }

  [[nodiscard]] SubscriberState state() const { return worker_->state(); }

 private:
  static Status no_descriptor() {
    return Status::error(
        StatusCode::exhausted,
        "the system refused a descriptor; raise its limit on open files (ulimit -n)");
  }

  const SubscriberOptions options_;
  base::Log log_;
  base::Parker parker_;
  std::vector<redis::ChannelTemplate> templates_;
  std::unique_ptr<subscriber::HistoryWorker> history_;
  std::unique_ptr<subscriber::SubscriberWorker> worker_;
  base::Worker history_thread_;
  base::Worker worker_thread_;
};

Subscription::Subscription(std::shared_ptr<SubscriptionImpl> impl) noexcept
    : impl_(std::move(impl)) {}

Subscription::~Subscription() { impl_->gone.store(true, std::memory_order_release); }

std::size_t Subscription::receive(std::vector<Update>& updates, milliseconds timeout,
                                  std::size_t count_max) {
  return impl_->queue.receive(updates, timeout, count_max);
}

SubscriptionStats Subscription::stats() const { return impl_->stats(); }

Subscriber::Subscriber(std::unique_ptr<SubscriberImpl> impl) noexcept : impl_(std::move(impl)) {}

Subscriber::~Subscriber() = default;

Status Subscriber::open(SubscriberOptions options, std::unique_ptr<Subscriber>& subscriber) {
  if (Status status = validate(options); !status.ok()) return status;
  auto impl = std::make_unique<SubscriberImpl>(std::move(options));
  if (Status status = impl->open(); !status.ok()) return status;
  subscriber.reset(new Subscriber{std::move(impl)});  // tidy: allow(naked_new) private constructor
  return {};
}

Status Subscriber::subscribe(SubscriptionOptions options,
                             std::unique_ptr<Subscription>& subscription) {
  return impl_->subscribe(std::move(options), subscription);
}

SubscriberState Subscriber::state() const { return impl_->state(); }

std::string_view name(Origin origin) noexcept {
  return origin == Origin::live ? "live" : "history";
}

std::string_view name(GapReason reason) noexcept {
  switch (reason) {
    case GapReason::none:
      return "none";
    case GapReason::retention:
      return "retention";
    case GapReason::too_long:
      return "too_long";
    case GapReason::topic_changed:
      return "topic_changed";
  }
  return "unknown";
}

std::string_view name(LinkHealth health) noexcept {
  switch (health) {
    case LinkHealth::off:
      return "off";
    case LinkHealth::connecting:
      return "connecting";
    case LinkHealth::ready:
      return "ready";
    case LinkHealth::away:
      return "away";
    case LinkHealth::refused:
      return "refused";
  }
  return "unknown";
}

std::string_view name(SubscriptionPhase phase) noexcept {
  switch (phase) {
    case SubscriptionPhase::joining:
      return "joining";
    case SubscriptionPhase::live:
      return "live";
    case SubscriptionPhase::catching_up:
      return "catching_up";
  }
  return "unknown";
}

}  // namespace dualstream
