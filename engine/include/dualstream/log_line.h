// LogLine is what the engine says to the host program: what kind of thing happened, in a sentence
// and in parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dualstream/export.h"

namespace dualstream {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// What a line is about; what a program that reads the log should look at, not the sentence.
enum class LogKind : std::uint8_t {
  kafka_unreachable,    // No broker can be reached; events are buffered.
  kafka_unauthorized,   // A broker refuses the credentials or a right; events fail.
  kafka_topic,          // The topic is missing or cannot be used; events fail.
  kafka_error,          // Another error that the Kafka client told of.
  kafka_recovered,      // Events are acknowledged, or the topic is there, again.
  kafka_rebuilt,        // A fatal error made the engine replace the Kafka client.
  kafka_partitions,     // The topic has more partitions than before.
  kafka_message_limit,  // The topic's max.message.bytes changed.
  kafka_client,         // Said by the Kafka client about itself.
  redis_connected,
  redis_lost,               // The connection broke, or cannot be made.
  redis_refused,            // The server answers and does not let us in.
  redis_publish_refused,    // It refuses PUBLISH for want of a right.
  redis_publish_failed,     // It answers PUBLISH with another error.
  redis_publish_recovered,  // PUBLISH works again.
};

inline constexpr std::size_t kLogKindCount =
    static_cast<std::size_t>(LogKind::redis_publish_recovered) + 1;

// The stable, lower-case names, for programs.
[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(LogLevel level) noexcept;
[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(LogKind kind) noexcept;

// A part of the sentence by itself, such as {"address", "localhost:6379"}.
struct LogField {
  std::string_view name;
  std::string_view value;
};

// Borrows: valid during the callback only. Control bytes are escaped as \xNN in all of it, and no
// secret stands in it.
struct LogLine {
  LogLevel level = LogLevel::info;
  LogKind kind = LogKind::kafka_client;
  std::string_view message;  // The whole sentence: what, why, what it means and what to do.
  std::span<const LogField> fields{};
  // Lines of this kind that were left out since its last one: at most 10 of a kind go out in 10 s.
  std::uint64_t suppressed = 0;
};

// The line as one text, without level and time: the sentence, and how many like it were left out.
[[nodiscard]] DUALSTREAM_EXPORT std::string text_of(const LogLine& line);

}  // namespace dualstream
