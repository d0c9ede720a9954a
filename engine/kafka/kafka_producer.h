// KafkaProducer is the port to Kafka's writing side: batches in, reports and notices out, nothing
// blocks.
//
// The engine's side behind it is librdkafka_producer.cc, several of them behind producer_group.cc;
// tests put a fake there.
//
// What goes in comes out by lanes: a lane is one partition by way of one client
// (kafka/partitioner.h). Of a single client the lanes are the partitions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "dualstream/outcome.h"
#include "dualstream/status.h"
#include "event/event_list.h"

namespace dualstream::kafka {

// Kafka's answer for one event.
struct Report {
  event::EventPtr event;
  std::int32_t lane = -1;
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  Failure failure = Failure::none;  // none: acknowledged.
  Persisted persisted = Persisted::no;
  std::string_view detail{};  // A static text, when it failed.
};

// What partitioner and batcher need to know of the topic.
struct TopicView {
  // The connection that each lane takes: its client's to the broker that leads its partition. Of a
  // single client that is the broker's number. -1 for none.
  std::vector<std::int32_t> connections;
  // Its max.message.bytes: the largest batch that a broker takes. 0 when nobody would tell us.
  std::size_t message_bytes_max = 0;
};

enum class NoticeKind : std::uint8_t {
  unreachable,   // No broker can be reached, or the connection broke.
  unauthorized,  // A broker refused our credentials.
  topic,         // The topic is missing or cannot be used.
  error,         // Any other error that the client reported by itself.
  rebuilt,       // The client died of a fatal error and was replaced.
  info,          // Said by the client, for the log.
};

struct Notice {
  NoticeKind kind = NoticeKind::info;
  std::string text;
};

// Thread: the Kafka worker's, but connect(), which comes first, on the opening one.
class KafkaProducer {
 public:
  virtual ~KafkaProducer() = default;

  // Waits up to `timeout` until the cluster has answered for the topic. ok, `unreachable`,
  // `unauthorized` or `unknown_topic`, with a sentence.
  [[nodiscard]] virtual Status connect(base::Duration timeout) = 0;

  // Hands over events of one lane, from the front of `events`, in order. What the client takes
  // comes back in a report. What it refuses for good is appended to `refused` as a report. What it
  // has no room for now stays in `events`.
  virtual void produce(std::int32_t lane, event::EventList& events,
                       std::vector<Report>& refused) = 0;

  // Moves reports to the front of `out`; returns how many.
  [[nodiscard]] virtual std::size_t poll_reports(std::span<Report> out) = 0;

  // The topic, when it has changed since the last call.
  [[nodiscard]] virtual bool poll_topic(TopicView& out) = 0;

  [[nodiscard]] virtual bool poll_notice(Notice& out) = 0;

  // Gives up everything that was handed over: each event's report comes soon, as `stopped`.
  virtual void purge() = 0;

  // Closes the client and appends a report, `stopped`, for every event that it still had. Nothing
  // else may be called after it.
  virtual void close(std::vector<Report>& reports) = 0;

  // Readable when poll_reports() or poll_notice() may have something; -1 if there is no such
  // descriptor.
  [[nodiscard]] virtual int wake_fd() const = 0;

  // When the cluster last answered for the topic; the epoch when it never did. On any thread.
  [[nodiscard]] virtual base::TimePoint answered_at() const { return {}; }

  // When poll_reports() has to be called even if nothing is readable.
  [[nodiscard]] virtual base::TimePoint poll_at() const { return base::kNever; }
};

}  // namespace dualstream::kafka
