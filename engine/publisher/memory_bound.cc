// memory_bytes_max() adds up every bound of the engine, one line each.
#include <algorithm>

#include "dualstream/options.h"
#include "event/event.h"
#include "event/event_parser.h"
#include "event/event_queue.h"
#include "redis/redis_settings.h"

namespace dualstream {
namespace {

// What moodycamel's queue keeps for an event that passes through it: a pointer in a block of 256.
constexpr std::uint64_t kQueueSlotBytes = 16;

// What librdkafka keeps for a message besides the payload, which stays ours: its message object,
// and a copy of the key (rd_kafka_msg_t is about 180 bytes in 2.0 to 2.15).
constexpr std::uint64_t kClientMessageBytes = 256;

// The reports, outcomes and hand-over arrays of the Kafka worker's cycle.
constexpr std::uint64_t kCycleBytes = 1024 * 1024;

// The parsers of at most so many Publishers are counted; each further one that reads JSON adds its
// own.
constexpr std::uint64_t kParsersCounted = 16;

}  // namespace

std::uint64_t memory_bytes_max(const Options& options) {
  std::uint64_t bytes = 0;
  // Every accepted event without an outcome: its whole block, wherever it is.
  bytes += options.queue.bytes_max;
  // The chunks that blocks are cut from, each of which may be kept by one last event.
  bytes += options.queue.bytes_max / event::EventQueue::kChunksShare;
  // Its place in the queue.
  bytes += options.queue.events_max * kQueueSlotBytes;
  // malloc's own bytes for each block.
  bytes += options.queue.events_max * 16;
  // What the client adds for those that it holds; at the most all of them, their keys included.
  bytes += options.queue.events_max * kClientMessageBytes + options.queue.bytes_max / 4;
  // Requests under way: a client copies a batch to send it, five for each broker; three brokers are
  // counted.
  bytes += 15 * options.kafka.clients *
           (std::uint64_t{options.kafka.batch_bytes_max} + options.kafka.event_bytes_max);
  bytes += kCycleBytes;
  // The JSON path: text, tape and strings of the longest line.
  bytes += kParsersCounted * event::EventParser::bytes_max(options.json);
  // The notification queue, and what the Redis side holds behind it.
  if (!options.redis.address.empty()) {
    bytes += redis::queue_half(options.redis.notification_bytes_max);
    bytes += redis::redis_memory_bytes_max(options.redis);
  }
  return bytes;
}

}  // namespace dualstream
