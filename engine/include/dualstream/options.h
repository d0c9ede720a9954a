// Options say how an Engine runs. Every field has a default in place but kafka.brokers and
// kafka.topic.
//
// docs/options.md lists the same fields by the names that the command line, the environment and a
// file use.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dualstream/export.h"
#include "dualstream/log_line.h"
#include "dualstream/outcome.h"
#include "dualstream/status.h"

namespace dualstream {

// The critical path.
struct KafkaOptions {
  // Bootstrap brokers, "host:port[,host:port…]". Required.
  std::string brokers;

  // The topic that every event goes to; [A-Za-z0-9._-], 1 to 249 characters. Required. It has to
  // exist, or the cluster has to create topics by itself (auto.create.topics.enable).
  std::string topic;

  // How long the oldest event of a partition may wait for company before its batch goes, besides
  // the half millisecond that the client waits before it sends a batch that is not full. Batches
  // grow by themselves with load, because a partition waits anyway while its previous batch is
  // under way; so 0 is right wherever an update must not be late. 5 ms is right for bulk: less CPU
  // at a few thousand events a second, for as much more latency. Up to 60 s.
  std::chrono::milliseconds linger{0};

  // A batch goes at the latest when it holds this many events or bytes (keys, values and about 12
  // bytes an event). Raise the bytes only together with the topic's max.message.bytes. 1 to 100,000
  // events; 1 KiB to 64 MiB.
  std::size_t batch_events_max = 4096;
  std::size_t batch_bytes_max = 1'000'000;

  // How many librdkafka clients share the sources out among them, 1 to 16. A client sends a
  // partition one batch per round trip, so one is right next door and for many partitions; 10 ms
  // away, a topic of few partitions takes about twice as much with two. Each costs some threads,
  // connections and memory. Order per source holds.
  std::size_t clients = 1;

  // The largest key + payload that publish() takes, in bytes; above it `too_large`. It becomes
  // librdkafka's message.max.bytes (with room for the record's own bytes). Where the topic's
  // max.message.bytes is smaller, that holds instead: the engine reads it at open and every 5 s,
  // when it may (the right to DescribeConfigs on the topic).
  std::size_t event_bytes_max = 999'000;

  // An event without an acknowledgement for this long fails as `timed_out`. Counted from when it is
  // handed to the client; one that waited for its partition before that fails after at most twice
  // this time. At least 1 s.
  std::chrono::milliseconds delivery_timeout{120'000};

  // How long Engine::open() waits for the cluster to answer for the topic. 0 does not wait.
  std::chrono::milliseconds open_timeout{5'000};

  // What Engine::open() does when no broker answered within open_timeout. false: it succeeds,
  // publish() buffers up to the queue's bounds, and delivery begins when a broker appears. true: it
  // fails as `unreachable`. A broker that answers and refuses (unknown topic, credentials) always
  // fails it.
  bool required_at_open = false;

  // Any other librdkafka property, as in its CONFIGURATION.md. Those that the engine owns
  // (batching, delivery reports, queue sizes) are refused with the name of the option to use
  // instead.
  std::vector<std::pair<std::string, std::string>> properties;

  // Lets `properties` turn acks or idempotence down. Then G2 and G3 of docs/guarantees.md no longer
  // hold.
  bool allow_unsafe = false;
};

// When a notification goes out.
enum class NotifyAt : std::uint8_t {
  acknowledged,  // After Kafka's acknowledgement, with partition and offset. A reader can fetch
                 // what it is told of.
  accepted,      // When the Kafka worker takes the event: sooner, without an offset, and it may
             // announce an event that Kafka then fails. Only for readers that can live with that.
};

// The best-effort path. Nothing here can fail a publish or slow Kafka.
struct RedisOptions {
  // "host:port", "redis://[user[:password]@]host[:port]", the same with "rediss://" for TLS, or
  // "unix:/path". Empty: no notifications at all.
  std::string address;

  // ACL user and password; they win over those in `address`. An empty username is Redis' default
  // user.
  std::string username;
  std::string password;

  // For TLS, PEM files: the authorities whose word on the server is taken (empty: the system's),
  // and a certificate and its key for a server that wants to know us. They are read at open, and
  // anew for each connection.
  std::string tls_ca_file;
  std::string tls_certificate_file;
  std::string tls_key_file;

  NotifyAt notify = NotifyAt::acknowledged;

  // One channel per event is published for each template, up to 4. `{source_type}` is required in
  // each,
  // `{source_id}` gives a channel per source, `{bucket}` one of `buckets` by hash of the source.
  // Values are percent-encoded where they could forge or match another channel.
  std::vector<std::string> channels{"events:{source_type}:{source_id}"};

  // How many buckets `{bucket}` spreads the sources over. 1 to 65,536.
  std::size_t buckets = 64;

  // How long the oldest notification of a frame may wait for company, while there is room to send
  // it: twice as long as its event waited for Kafka beyond 5 ms, at least `linger` and at most
  // `linger_max` (or `linger`, if that is more). So news that is fresh goes at once, and under a
  // load that makes events queue one PUBLISH carries many. Then frames leave in rounds, two to such
  // a wait, so it may be half as long again. Both the same: always that long. 0 to 60 s each.
  std::chrono::milliseconds linger{0};
  std::chrono::milliseconds linger_max{20};

  // A frame (one PUBLISH) carries at most this many notifications and about this many bytes.
  std::size_t frame_events_max = 64;
  std::size_t frame_bytes_max = 16 * 1024;

  // Frames written whose replies have not been read. More hide a longer round trip and lose more to
  // a broken connection.
  std::size_t window_frames_max = 256;

  // Notifications held while Redis is slow or away, and their bytes; beyond either the oldest is
  // dropped, counted, and its channel told. 64 to 16,777,216; 64 KiB to 16 GiB.
  std::size_t notifications_max = 131'072;
  std::size_t notification_bytes_max = 32 * 1024 * 1024;

  // Sources whose previous offset and missed count are remembered (about 400 bytes each with one
  // template).
  std::size_t sources_remembered_max = 65'536;

  // A connection that is not ready, or that owes replies and has sent none, for this long is given
  // up and made anew.
  std::chrono::milliseconds connect_timeout{1'000};
  std::chrono::milliseconds reply_timeout{5'000};
};

// The memory between publish() and Kafka's answer.
struct QueueOptions {
  // Accepted events without an outcome. Beyond either bound publish() says `full`. 1 to 4,194,304
  // events; 64 KiB to 64 GiB, counted with the engine's own bytes for each event.
  std::size_t events_max = 262'144;
  std::size_t bytes_max = 256 * 1024 * 1024;
};

// Where publish_json() finds an event's fields. A value that starts with '/' is a JSON Pointer (RFC
// 6901), anything else is a constant. A field may be a string or an integer.
struct JsonOptions {
  std::string id = "/id";
  std::string type = "/type";
  std::string source_type = "repo";
  std::string source_id = "/repo/name";

  // A longer line is `too_large`; a deeper one is `invalid`. 1 KiB to 64 MiB; 1 to 1,024 levels.
  std::size_t line_bytes_max = 1024 * 1024;
  std::size_t depth_max = 64;
};

struct Options {
  KafkaOptions kafka;
  RedisOptions redis;
  QueueOptions queue;
  JsonOptions json;

  // Takes the outcomes, in Kafka's order per partition. Called on the Kafka worker's thread with a
  // batch at a time: while it runs no other event is sent or reported, so it should hand over and
  // return. It may publish (without a timeout); it must not stop the engine. An exception is caught
  // and counted. Empty: outcomes are only counted.
  std::function<void(std::span<const Outcome>)> on_outcomes;

  // Takes the log, a line at a time, from any of the engine's threads, one call at a time. One line
  // per change of state, never one per event, at most 10 of a kind in 10 s; never a secret. It must
  // not call the engine. Empty: warnings and errors go to stderr.
  std::function<void(const LogLine&)> on_log;

  // How long ~Engine() may take when stop() was not called.
  std::chrono::milliseconds close_timeout{10'000};
};

// ok, or `invalid_options` with a sentence that names field, value and rule. Engine::open() calls
// it first.
[[nodiscard]] DUALSTREAM_EXPORT Status validate(const Options& options);

// Every bound of the engine's memory added up, in bytes: what an Engine with these options can hold
// at the most, whatever Kafka and Redis do. Threads' stacks and the client libraries' fixed costs
// are not in it.
[[nodiscard]] DUALSTREAM_EXPORT std::uint64_t memory_bytes_max(const Options& options);

}  // namespace dualstream
