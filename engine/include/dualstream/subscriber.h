// Subscriber is the reading side: live notifications from Redis Pub/Sub, with Kafka behind them for
// everything that a late, slow or interrupted reader missed.
//
// docs/subscriber.md has the contract, the states and an example.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dualstream/export.h"
#include "dualstream/log_line.h"
#include "dualstream/options.h"
#include "dualstream/status.h"

namespace dualstream {

// Where an Update comes from.
enum class Origin : std::uint8_t {
  live,     // A notification told of it.
  history,  // It was read from Kafka.
};

enum class UpdateKind : std::uint8_t {
  event,
  gap,  // Events may be missing here, and Kafka cannot give them: recovered = false.
};

// Why a gap could not be filled.
enum class GapReason : std::uint8_t {
  none,
  retention,  // Kafka no longer has it.
  too_long,   // More than SubscriptionOptions::history_offsets_max.
  // The topic was made anew: what was there before is gone. All that it holds now follows, from
  // offset 0 on, also what had come of it before this was noticed.
  topic_changed,
};

// An event, or word that events may be missing. A value.
struct Update {
  UpdateKind kind = UpdateKind::event;
  Origin origin = Origin::live;
  GapReason reason = GapReason::none;

  // Comes after a later event of its source: two engines publish that source at the same time.
  bool late = false;
  // Whether `payload` is the event's. Without it a payload was not asked for, or Kafka no longer
  // has it.
  bool has_payload = false;

  // Where the event lies in Kafka; -1 when its engine runs with notify = accepted. Of a gap: the
  // first offset that may be missing.
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  // Of a gap: the first offset after it; 0 where the topic was made anew.
  std::int64_t gap_end = -1;

  // Milliseconds since 1970, Kafka's; -1 when only a notification told of the event.
  std::int64_t timestamp_ms = -1;

  // Empty where a record does not tell (SubscriberOptions::json).
  std::string id;
  std::string type;
  std::string source_type;
  std::string source_id;
  std::string payload;
};

struct SourceName {
  std::string source_type;
  std::string source_id;
};

enum class FromKind : std::uint8_t { now, last, since, offset };

// Where a subscription begins. A value.
struct From {
  FromKind kind = FromKind::now;
  // last: of each source that is named, and of all that channels and patterns select together.
  // 1 to 100,000.
  std::size_t count = 0;
  // since: by Kafka's timestamps.
  std::chrono::system_clock::time_point time{};
  // offset: the first wanted in each partition; partitions that are not named begin now.
  std::vector<std::pair<std::int32_t, std::int64_t>> offsets{};

  [[nodiscard]] static From now() { return {}; }
  [[nodiscard]] static From last(std::size_t count) {
    return {.kind = FromKind::last, .count = count};
  }
  [[nodiscard]] static From since(std::chrono::system_clock::time_point time) {
    return {.kind = FromKind::since, .time = time};
  }
  [[nodiscard]] static From offset(std::vector<std::pair<std::int32_t, std::int64_t>> offsets) {
    return {.kind = FromKind::offset, .offsets = std::move(offsets)};
  }
};

// What one reader wants. At least one source, channel or pattern.
struct SubscriptionOptions {
  // Each has its own channel if a template has {source_id}; else the reader listens to the
  // source's aggregate channel and drops what is not asked for.
  std::vector<SourceName> sources;
  // Whole channels, as they are called in Redis: "events:repo", "buckets:repo:17".
  std::vector<std::string> channels;
  // Redis' patterns. Each costs every PUBLISH on the server: prefer channels (docs/channels.md).
  std::vector<std::string> patterns;

  From from;

  // Whether each event comes with its payload, which is fetched from Kafka.
  bool payload = false;

  // Updates that wait for receive(), and their bytes. Beyond either the reader is slow: what comes
  // then is read from Kafka once it has caught up. 16 to 1,048,576; 64 KiB to 4 GiB.
  std::size_t queue_updates_max = 16'384;
  std::size_t queue_bytes_max = 64 * 1024 * 1024;

  // A stretch of a partition longer than this is not read: its newest part is, and the rest told
  // as a gap. 1 to 1,000,000,000 offsets.
  std::int64_t history_offsets_max = 1'000'000;
};

// How a Subscriber runs.
struct SubscriberOptions {
  // Read: brokers, topic, open_timeout, required_at_open and properties.
  KafkaOptions kafka;
  // Read: address, username, password, connect_timeout, and channels and buckets, which have to be
  // those of the publishing side. Without an address everything is read from Kafka alone.
  RedisOptions redis;
  // Where a payload says what its record does not: id, type and source_type. The source's id is
  // the record's key. A payload that cannot be read gives an update without id and type.
  JsonOptions json;

  // The longest that a notification takes from Kafka's acknowledgement to here, when nothing is
  // lost. After a break Kafka is read from so long before it. 1 s to 10 min.
  std::chrono::milliseconds notification_delay_max{10'000};

  // While Redis is away, Kafka is read this often instead. 100 ms to 1 h.
  std::chrono::milliseconds outage_poll{1'000};

  // Sources of channels and patterns whose last offset is remembered, in each partition of each
  // subscription; sources that are named are never forgotten. 1 to 16,777,216.
  std::size_t sources_remembered_max = 65'536;

  // The newest payloads are kept, for readers of one source. 0 to 16 GiB.
  std::size_t payload_cache_bytes_max = 16 * 1024 * 1024;

  // As Options::on_log.
  std::function<void(const LogLine&)> on_log;
};

// ok, or `invalid_options` with a sentence that names field, value and rule.
[[nodiscard]] DUALSTREAM_EXPORT Status validate(const SubscriberOptions& options);
[[nodiscard]] DUALSTREAM_EXPORT Status validate(const SubscriptionOptions& options);

// How a server is reached.
enum class LinkHealth : std::uint8_t {
  off,         // There is no address for it.
  connecting,  // Not yet.
  ready,
  away,     // It cannot be reached.
  refused,  // It answers and does not let us in, or does not let us listen.
};

struct SubscriberState {
  LinkHealth redis = LinkHealth::off;
  LinkHealth kafka = LinkHealth::connecting;
};

enum class SubscriptionPhase : std::uint8_t {
  joining,      // What lies before the first live event is being read.
  live,         // Nothing is missing that it knows of.
  catching_up,  // Kafka is being read, or will be when it can be reached.
};

// Counts of one subscription, from its start.
struct SubscriptionStats {
  SubscriptionPhase phase = SubscriptionPhase::joining;
  std::uint64_t live = 0;            // Events that a notification told of first.
  std::uint64_t history = 0;         // Events read from Kafka.
  std::uint64_t repeats = 0;         // Told again, and dropped: overlap of live and history.
  std::uint64_t late = 0;            // Update::late.
  std::uint64_t looks = 0;           // Stretches of Kafka read because something may be missing.
  std::uint64_t gaps_healed = 0;     // Those that brought events.
  std::uint64_t gaps_lost = 0;       // Updates of kind gap.
  std::uint64_t overruns = 0;        // Times that the queue was full.
  std::uint64_t waiting = 0;         // Updates that wait for receive().
  std::uint64_t payloads_gone = 0;   // Asked for, and no longer in Kafka.
  std::uint64_t not_understood = 0;  // Messages that are no notification.
};

[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(Origin origin) noexcept;
[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(GapReason reason) noexcept;
[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(LinkHealth health) noexcept;
[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(SubscriptionPhase phase) noexcept;

class SubscriberImpl;
class SubscriptionImpl;

// Subscription is one reader's stream: in order for each source, without repeats, and with word of
// every gap that could not be filled.
//
// Events of one partition and offset come once. An event that stands in Kafka twice, because its
// producer was replaced or restarted, comes twice, with the same id.
//
// Thread:   receive() on one thread at a time, the rest on any.
// Lifetime: the Subscriber outlives it. The destructor unsubscribes.
class DUALSTREAM_EXPORT Subscription {
 public:
  explicit Subscription(std::shared_ptr<SubscriptionImpl> impl) noexcept;
  ~Subscription();

  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  // Waits up to `timeout` for updates and puts at most `count_max` of them into `updates`, in place
  // of what was there. None: the time is over, or the Subscriber has stopped.
  std::size_t receive(std::vector<Update>& updates, std::chrono::milliseconds timeout,
                      std::size_t count_max = 1024);

  [[nodiscard]] SubscriptionStats stats() const;

 private:
  const std::shared_ptr<SubscriptionImpl> impl_;
};

// One connection to Redis and one reader of Kafka, for all the subscriptions of a process.
//
// Thread:   every member may be called from any thread.
// Lifetime: outlives its Subscriptions.
class DUALSTREAM_EXPORT Subscriber {
 public:
  // Validates and starts; connects in the background. Waits up to kafka.open_timeout for the
  // topic, as Engine::open() does.
  [[nodiscard]] static Status open(SubscriberOptions options,
                                   std::unique_ptr<Subscriber>& subscriber);
  ~Subscriber();

  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // Begins a subscription and returns at once; it joins in the background.
  [[nodiscard]] Status subscribe(SubscriptionOptions options,
                                 std::unique_ptr<Subscription>& subscription);

  [[nodiscard]] SubscriberState state() const;

 private:
  explicit Subscriber(std::unique_ptr<SubscriberImpl> impl) noexcept;

  const std::unique_ptr<SubscriberImpl> impl_;
};

}  // namespace dualstream
