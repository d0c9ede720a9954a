// Outcome is what the caller is told about an accepted event: exactly once, delivered or failed.
#pragma once

#include <cstdint>
#include <string_view>

#include "dualstream/event_view.h"
#include "dualstream/export.h"

namespace dualstream {

// What publish() says at once.
enum class PublishResult : std::uint8_t {
  accepted,   // The engine owns a copy; its outcome will be reported exactly once.
  full,       // Backpressure: nothing was taken. Retry later or drop; the caller decides.
  too_large,  // Larger than Kafka would take. Retrying cannot help.
  invalid,    // A field is missing or cannot be carried. Retrying cannot help.
  stopping,   // Engine::stop() has begun.
};

enum class OutcomeKind : std::uint8_t {
  delivered,  // Kafka acknowledged it (acks=all): `partition` and `offset` are set.
  failed,     // It will not be tried again: `failure`, `persisted`, `detail` and `event` are set.
  refused,    // Only from publish_and_wait(): publish() refused it, see `refusal`.
  pending,    // Only from publish_and_wait() after its timeout: the outcome will go to on_outcomes.
};

enum class Failure : std::uint8_t {
  none,
  timed_out,      // kafka.delivery_timeout passed without an acknowledgement.
  too_large,      // The broker or the client refused its size.
  unknown_topic,  // The topic or partition does not exist (any more).
  unauthorized,   // The broker refused our credentials or this principal's right to write.
  rejected,       // The broker refused it for another reason; see `detail`.
  stopped,        // stop() reached its deadline first.
};

// Whether a failed event may stand in the log all the same.
enum class Persisted : std::uint8_t {
  no,     // Kafka does not have it.
  maybe,  // It was sent and no answer came. Publishing it again may make a repeat with the same id.
};

struct Outcome {
  OutcomeKind kind = OutcomeKind::pending;
  PublishResult refusal = PublishResult::accepted;
  Failure failure = Failure::none;
  Persisted persisted = Persisted::no;
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  // EventView::tag of the event.
  std::uint64_t tag = 0;
  // Why it failed, in Kafka's words. Valid during the callback; from publish_and_wait(), always (a
  // static text).
  std::string_view detail{};
  // The whole event, so that a failed one can be saved. Valid during the callback only; empty from
  // publish_and_wait(), whose caller still holds the events.
  EventView event{};
};

[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(PublishResult result) noexcept;
[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(OutcomeKind kind) noexcept;
[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(Failure failure) noexcept;
[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(Persisted persisted) noexcept;

}  // namespace dualstream
