#include "support/topic_reader.h"

#include <stdexcept>

#include "support/command.h"

namespace dualstream::testing {
namespace {

// Takes big-endian numbers and byte strings off the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_{text} {}

  [[nodiscard]] std::int32_t int32() { return static_cast<std::int32_t>(number(4)); }
  [[nodiscard]] std::int64_t int64() { return static_cast<std::int64_t>(number(8)); }

  [[nodiscard]] std::optional<std::string> bytes() {
    const std::int32_t size = int32();
    if (size < 0) {
      return std::nullopt;
    }
    return std::string{take(static_cast<std::size_t>(size))};
  }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const char byte : take(size)) {
      value = value << 8U | static_cast<unsigned char>(byte);
    }
    return value;
  }

  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      throw std::runtime_error{"the topic reader's output is cut short"};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

}  // namespace

std::vector<Record> read_topic(const std::string& brokers, const std::string& topic) {
  const CommandResult result =
      run_command({source_dir() + "/tools/servers", "read", topic, "--bootstrap", brokers});
  if (result.exit_code != 0) {
    throw std::runtime_error{"reading topic " + topic + " failed; the reason is on stderr"};
  }
  return parse_records(result.output);
}

std::vector<Record> parse_records(std::string_view framed) {
  std::vector<Record> records;
  Cursor cursor{framed};
  while (true) {
    Record record;
    record.partition = cursor.int32();
    record.offset = cursor.int64();
    record.key = cursor.bytes();
    record.value = cursor.bytes();
    record.java_partition = cursor.int32();
    if (record.partition >= 0) {
      records.push_back(std::move(record));
      continue;
    }
    // The trailer: its offset is the number of records.
    if (record.offset != static_cast<std::int64_t>(records.size()) || !cursor.at_end()) {
      throw std::runtime_error{"the topic reader wrote " + std::to_string(record.offset) +
                               " records, but " + std::to_string(records.size()) + " arrived"};
    }
    return records;
  }
}

}  // namespace dualstream::testing
