// History reads a topic by offset or time: no Redis, no consumer group, nothing committed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dualstream/export.h"
#include "dualstream/options.h"
#include "dualstream/status.h"
#include "dualstream/subscriber.h"

namespace dualstream {

class HistoryImpl;

// What a partition holds: offsets [begin, end).
struct HistoryBounds {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// One stretch of a partition, [from, to).
struct HistoryRange {
  std::int32_t partition = 0;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

// What was read of it.
struct HistoryPart {
  std::vector<Update> updates;  // In order, each with its payload.
  std::int64_t next = 0;        // Where to go on; every record before it is among them.
  // When it is larger than `from`: Kafka no longer has what was before it.
  std::int64_t begin = -1;
};

// Thread: one thread at a time. Every call waits for Kafka, up to its timeout.
class DUALSTREAM_EXPORT History {
 public:
  // Read: brokers, topic, open_timeout and properties; `json` as in SubscriberOptions. Waits for
  // the topic up to kafka.open_timeout.
  [[nodiscard]] static Status open(const KafkaOptions& kafka, const JsonOptions& json,
                                   std::unique_ptr<History>& history);
  ~History();

  History(const History&) = delete;
  History& operator=(const History&) = delete;

  [[nodiscard]] Status partitions(std::chrono::milliseconds timeout, std::int32_t& count);
  [[nodiscard]] Status bounds(std::int32_t partition, std::chrono::milliseconds timeout,
                              HistoryBounds& bounds);
  // The first offset of that time or later; the end if there is none.
  [[nodiscard]] Status offset_at(std::int32_t partition, std::chrono::system_clock::time_point time,
                                 std::chrono::milliseconds timeout, std::int64_t& offset);
  // Some of `range`, up to 2,000 records and about 4 MiB; ok with next == from when nothing came in
  // time.
  [[nodiscard]] Status read(const HistoryRange& range, std::chrono::milliseconds timeout,
                            HistoryPart& part);

 private:
  explicit History(std::unique_ptr<HistoryImpl> impl) noexcept;

  const std::unique_ptr<HistoryImpl> impl_;
};

}  // namespace dualstream
