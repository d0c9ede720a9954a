// KafkaReader is the port to Kafka's reading side: stretches of partitions, by offset, without a
// consumer group. Each call waits, up to its timeout, so it has a thread of its own.
//
// The engine's side behind it is librdkafka_reader.cc; tests put a fake there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "dualstream/status.h"

namespace dualstream::kafka {

struct Record {
  std::int64_t offset = -1;
  std::int64_t timestamp_ms = -1;
  std::string key;
  std::string value;
};

// Offsets that a partition holds: [begin, end).
struct PartitionBounds {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct ReadRequest {
  std::int32_t partition = 0;
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::size_t records_max = 2'000;
  std::size_t bytes_max = 4 * 1024 * 1024;
};

struct ReadAnswer {
  std::vector<Record> records;  // In order.
  std::int64_t next = 0;        // Every record of [from, next) is among them.
  std::int64_t begin = -1;      // When it is larger than `from`: what was before it is gone.
};

// Thread: one at a time.
class KafkaReader {
 public:
  virtual ~KafkaReader() = default;

  // ok, or `unreachable`, `unauthorized`, `unknown_topic`.
  [[nodiscard]] virtual Status partitions(base::Duration timeout, std::int32_t& count) = 0;
  [[nodiscard]] virtual Status bounds(std::int32_t partition, base::Duration timeout,
                                      PartitionBounds& bounds) = 0;
  // The first offset whose record is from `timestamp_ms` or later; the end if there is none.
  [[nodiscard]] virtual Status offset_at(std::int32_t partition, std::int64_t timestamp_ms,
                                         base::Duration timeout, std::int64_t& offset) = 0;

  // Some of [from, to), beginning at `from`; ok with next == from when nothing came in time.
  [[nodiscard]] virtual Status read(const ReadRequest& request, base::Duration timeout,
                                    ReadAnswer& answer) = 0;

  // Nothing is to be read for a while: fetching ahead ends.
  virtual void rest() = 0;
};

}  // namespace dualstream::kafka
