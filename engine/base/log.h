// Log takes the engine's lines to the host program's callback, one at a time and not too many of a
// kind.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>

#include "base/time.h"
#include "dualstream/log_line.h"

namespace dualstream::base {

// Thread:   any.
// Lifetime: outlives the workers that hold a reference.
class Log {
 public:
  using Sink = std::function<void(const LogLine&)>;
  using ReadClock = TimePoint (*)();

  // So many lines of a kind go out in such a time; the next one after it says how many did not.
  static constexpr std::uint32_t kLinesPerWindow = 10;
  static constexpr Duration kWindow = std::chrono::seconds{10};

  // An empty sink writes warnings and errors to stderr.
  explicit Log(Sink sink, ReadClock read_clock = &Clock::now);

  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Control bytes in the message and the values are escaped as \xNN. An exception of the sink is
  // swallowed: a log must not stop the flow.
  void write(LogKind kind, LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields = {}) noexcept;

  // A line for each kind of which some were left out and none told so yet; at the end.
  void tell_suppressed() noexcept;

 private:
  struct Rate {
    TimePoint window_began{};
    LogLevel level = LogLevel::info;  // Of the last one left out.
    std::uint32_t written = 0;
    std::uint64_t suppressed = 0;
  };

  // Whether a line of the kind may go out now; counts it.
  [[nodiscard]] bool admit(Rate& rate, LogLevel level) const noexcept;

  const ReadClock read_clock_;
  std::mutex mutex_;
  // Guarded by mutex_.
  Sink sink_;
  std::array<Rate, kLogKindCount> rates_;
};

}  // namespace dualstream::base
