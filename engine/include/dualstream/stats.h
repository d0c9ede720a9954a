// Stats is a snapshot of an Engine's counters. They obey the ledger (docs/guarantees.md):
//
//   offered   = accepted + refused_full + refused_too_large + refused_invalid + refused_stopping
//   accepted  = delivered + failed + pending
//   failed    = failed_timed_out + failed_too_large + ... + failed_stopped
//   announced = notified + dropped_* + unconfirmed + pending_notifications
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dualstream/export.h"
#include "dualstream/latencies.h"
#include "dualstream/outcome.h"

namespace dualstream {

enum class Counter : std::uint8_t {
  // Publishers.
  offered,
  accepted,
  refused_full,
  refused_too_large,
  refused_invalid,
  refused_stopping,
  // Kafka worker.
  delivered,
  failed,
  failed_timed_out,
  failed_too_large,
  failed_unknown_topic,
  failed_unauthorized,
  failed_rejected,
  failed_stopped,
  failed_maybe_persisted,
  delivered_bytes,
  batches,
  retried_batches,
  callback_exceptions,
  kafka_errors,
  producer_rebuilds,
  // Notifications: one per event and channel template.
  announced,
  notified,
  dropped_overflow,
  dropped_refused,
  dropped_error,
  dropped_stopped,
  unconfirmed,
  frames,
  receivers,
  redis_connects,
  redis_disconnects,
  // Gauges: what is held at this moment.
  pending,
  pending_bytes,
  pending_notifications,
};

inline constexpr std::size_t kCounterCount =
    static_cast<std::size_t>(Counter::pending_notifications) + 1;

struct CounterInfo {
  Counter counter;
  std::string_view label;   // The stable name, for logs and programs.
  std::string_view help;    // One line.
  std::string_view metric;  // The Prometheus family, such as "dualstream_events_refused_total".
  std::string_view
      reason;  // Its label `reason` there; empty when the family is this counter alone.
  bool gauge;  // Whether it may go down.
};

// All counters in the order of the enumeration.
[[nodiscard]] DUALSTREAM_EXPORT const std::array<CounterInfo, kCounterCount>&
counter_infos() noexcept;

// Failed events are counted by reason, and refused ones by what publish() said. `failure` is not
// `none`, `result` not `accepted`.
[[nodiscard]] DUALSTREAM_EXPORT Counter counter_of(Failure failure) noexcept;
[[nodiscard]] DUALSTREAM_EXPORT Counter counter_of(PublishResult result) noexcept;

struct DUALSTREAM_EXPORT Stats {
  std::array<std::uint64_t, kCounterCount> values{};

  // From publish() to Kafka's acknowledgement. One event in 17 of each Publisher is measured, its
  // first included, so that publish() need not read the clock for the others.
  Latencies publish_to_acknowledged;
  // From Kafka's acknowledgement of a frame's oldest event (with notify = accepted: from when it
  // was taken) to Redis' answer to that frame. Each frame is measured once.
  Latencies acknowledged_to_notified;

  [[nodiscard]] std::uint64_t operator[](Counter counter) const noexcept {
    return values[static_cast<std::size_t>(counter)];
  }
  [[nodiscard]] std::uint64_t refused() const noexcept;
  [[nodiscard]] std::uint64_t dropped() const noexcept;
  // Whether the four equations above hold. A snapshot of a running engine is taken so that they
  // always do.
  [[nodiscard]] bool balances() const noexcept;
};

}  // namespace dualstream
