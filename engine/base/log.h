// Log takes the engine's lines to the host program's callback, one at a time.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "dualstream/options.h"

namespace dualstream::base {

// Thread:   any.
// Lifetime: outlives the workers that hold a reference.
class Log {
 public:
  using Sink = std::function<void(LogLevel, std::string_view)>;

  // An empty sink writes warnings and errors to stderr.
  explicit Log(Sink sink);

  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Control bytes in `line` are escaped as \xNN. An exception of the sink is swallowed: a log must
  // not stop the flow.
  void write(LogLevel level, std::string_view line) noexcept;

 private:
  std::mutex mutex_;
  Sink sink_;
};

}  // namespace dualstream::base
