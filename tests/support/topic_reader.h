// read_topic() reads a topic back with Apache's Java client, which shares no code with the client
// that wrote it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dualstream::testing {

struct Record {
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  std::optional<std::string> key;
  std::optional<std::string> value;
  // The partition that Java's default partitioner chooses for the key; -1 without a key.
  std::int32_t java_partition = -1;
};

// Everything from the beginning of each partition to its end at this moment; partitions
// interleaved, each in offset order. Takes about 0.5 s, and a second for 200,000
// records. Throws std::runtime_error when the reader fails or its output is cut short.
[[nodiscard]] std::vector<Record> read_topic(const std::string& brokers, const std::string& topic);

// The framing of tests/support/java/TopicTool.java. Throws std::runtime_error unless it ends with
// the trailer and the trailer counts as many records.
[[nodiscard]] std::vector<Record> parse_records(std::string_view framed);

}  // namespace dualstream::testing
