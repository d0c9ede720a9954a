// EventView is what a caller publishes: borrowed fields of one event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dualstream {

// Limits of the fields, in bytes. An event beyond one of them is refused as `invalid` (`too_large`
// for the payload).
inline constexpr std::size_t kIdBytesMax = 1024;
inline constexpr std::size_t kTypeBytesMax = 256;
inline constexpr std::size_t kSourceTypeBytesMax = 256;
inline constexpr std::size_t kSourceIdBytesMax = 32 * 1024;

// Lifetime: the views need to live until publish() returns, no longer.
struct EventView {
  // Unique for the event; a repeat after a restart carries the same id. 1 to kIdBytesMax bytes.
  std::string_view id{};
  // What happened, e.g. "PushEvent". 1 to kTypeBytesMax bytes.
  std::string_view type{};
  // The kind of thing the event is about, e.g. "repo". 1 to kSourceTypeBytesMax bytes.
  std::string_view source_type{};
  // Which one, e.g. "owner/repo": the Kafka key, and with source_type the Redis channel. 1 to
  // kSourceIdBytesMax bytes.
  std::string_view source_id{};
  // The Kafka value, byte for byte. May be empty. Never goes to Redis.
  std::string_view payload{};
  // The caller's own; comes back in the Outcome.
  std::uint64_t tag = 0;
};

}  // namespace dualstream
