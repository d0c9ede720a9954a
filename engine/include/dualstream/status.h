// Status says whether a call that is not on the hot path did its work and, if not, what to do next.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "dualstream/export.h"

namespace dualstream {

enum class StatusCode : std::uint8_t {
  ok,
  invalid_options,  // An option cannot be used; the message names field, value and rule.
  unreachable,      // No broker answered in time. The addresses or the network are wrong, or it is
                    // down.
  unauthorized,     // A server answered and refused these credentials or this principal.
  unknown_topic,    // The cluster answered and has no such topic.
  timed_out,        // The deadline came first; the message says what was left.
  rejected,   // Some events were refused or failed; the message says how many and why the first.
  stopped,    // The engine is stopping or stopped.
  exhausted,  // The system refused a thread, a descriptor or memory.
};

// The stable, lower-case name of a code, for logs and programs.
[[nodiscard]] DUALSTREAM_EXPORT std::string_view name(StatusCode code) noexcept;

// A value: a code and, unless ok, a whole sentence that names the thing, the reason and the next
// step.
struct Status {
  StatusCode code = StatusCode::ok;
  std::string message;
  // The option that is to be mended, as in "kafka.brokers", when the cause is one; else empty.
  std::string field{};

  [[nodiscard]] bool ok() const noexcept { return code == StatusCode::ok; }

  [[nodiscard]] static Status error(StatusCode code, std::string message, std::string field = {}) {
    return Status{code, std::move(message), std::move(field)};
  }
};

}  // namespace dualstream
