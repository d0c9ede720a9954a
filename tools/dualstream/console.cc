#include "console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "text.h"

namespace dualstream::command {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// A line that wraps could not be erased.
std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

void write_stderr(std::string_view text) {
  // When stderr is gone there is nobody left to tell.
  [[maybe_unused]] const std::size_t written = std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

Console::Console(const ConsoleOptions& options)
    : terminal_(options.terminal),
      logger_(std::make_shared<spdlog::logger>("dualstream",
                                               std::make_shared<spdlog::sinks::stderr_sink_st>())) {
  logger_->set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
  logger_->set_level(spdlog_level(options.log_level));
  logger_->flush_on(spdlog::level::trace);
}

Console::~Console() { clear_progress(); }

void Console::log(LogLevel level, std::string_view line) {
  const std::string clean = printable(line);
  const std::lock_guard lock{mutex_};
  if (!logger_->should_log(spdlog_level(level))) return;
  erase_progress();
  logger_->log(spdlog_level(level), spdlog::string_view_t{clean.data(), clean.size()});
}

void Console::say(std::string_view line) {
  const std::string clean = printable(line) + '\n';
  const std::lock_guard lock{mutex_};
  erase_progress();
  write_stderr(clean);
}

void Console::show_progress(std::string_view line) {
  const std::lock_guard lock{mutex_};
  if (!terminal_) {
    write_stderr(std::string{line} + '\n');
    return;
  }
  erase_progress();
  write_stderr(line.substr(0, std::min(line.size(), terminal_columns() - 1)));
  progress_shown_ = true;
}

void Console::clear_progress() {
  const std::lock_guard lock{mutex_};
  erase_progress();
}

void Console::erase_progress() {
  if (!progress_shown_) return;
  write_stderr("\r\x1b[K");
  progress_shown_ = false;
}

bool stderr_is_terminal() noexcept { return ::isatty(STDERR_FILENO) != 0; }

}  // namespace dualstream::command
