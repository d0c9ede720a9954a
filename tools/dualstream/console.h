// Console is stderr: the log, reports and the progress line, without one garbling another.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "dualstream/options.h"

namespace spdlog {
class logger;
}

namespace dualstream::command {

struct ConsoleOptions {
  LogLevel log_level = LogLevel::info;
  // Whether stderr is a terminal, on which a progress line can be rewritten.
  bool terminal = false;
};

// Thread: any.
class Console {
 public:
  explicit Console(const ConsoleOptions& options);
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  // Takes the progress line away.
  ~Console();

  // A line of the log, with its time and level.
  void log(LogLevel level, std::string_view line);

  // A line as it is; control bytes in it are escaped.
  void say(std::string_view line);

  // On a terminal in place of the last progress line, else as a line of its own.
  void show_progress(std::string_view line);

  void clear_progress();

 private:
  void erase_progress();

  const bool terminal_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::shared_ptr<spdlog::logger> logger_;
  bool progress_shown_ = false;
};

[[nodiscard]] bool stderr_is_terminal() noexcept;

}  // namespace dualstream::command
