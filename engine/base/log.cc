#include "base/log.h"

#include <cstdio>
#include <utility>
#include <vector>

namespace dualstream {

std::string text_of(const LogLine& line) {
  std::string text{line.message};
  if (line.suppressed > 0) {
    text += " (" + std::to_string(line.suppressed) + " more lines of this kind were left out)";
  }
  return text;
}

}  // namespace dualstream

namespace dualstream::base {
namespace {

void write_to_stderr(const LogLine& line) {
  if (line.level < LogLevel::warning) return;
  const std::string_view level = name(line.level);
  std::fprintf(stderr, "dualstream: %.*s: %s\n", static_cast<int>(level.size()), level.data(),
               text_of(line).c_str());
}

std::string escaped(std::string_view line) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(line.size());
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
      continue;
    }
    out += "\\x";
    out += kHex[byte >> 4];
    out += kHex[byte & 0xf];
  }
  return out;
}

}  // namespace

Log::Log(Sink sink, ReadClock read_clock)
    : read_clock_(read_clock), sink_(sink ? std::move(sink) : Sink{write_to_stderr}) {}

bool Log::admit(Rate& rate, LogLevel level) const noexcept {
  const TimePoint now = read_clock_();
  if (rate.written == 0 || now - rate.window_began >= kWindow) {
    rate.window_began = now;
    rate.written = 0;
  }
  if (rate.written >= kLinesPerWindow) {
    rate.suppressed += 1;
    rate.level = level;
    return false;
  }
  rate.written += 1;
  return true;
}

void Log::write(LogKind kind, LogLevel level, std::string_view message,
                std::initializer_list<LogField> fields) noexcept {
  try {
    const std::lock_guard lock{mutex_};
    Rate& rate = rates_[static_cast<std::size_t>(kind)];
    if (!admit(rate, level)) return;
    const std::string clean = escaped(message);
    std::vector<std::string> values;
    std::vector<LogField> clean_fields;
    values.reserve(fields.size());
    clean_fields.reserve(fields.size());
    for (const LogField& field : fields) {
      clean_fields.push_back({field.name, values.emplace_back(escaped(field.value))});
    }
    sink_({.level = level,
           .kind = kind,
           .message = clean,
           .fields = clean_fields,
           .suppressed = std::exchange(rate.suppressed, 0)});
  } catch (...) {
    // The sink is the host program's; what it throws is not ours to handle, and the flow goes on.
  }
}

void Log::tell_suppressed() noexcept {
  try {
    const std::lock_guard lock{mutex_};
    for (std::size_t kind = 0; kind < rates_.size(); ++kind) {
      Rate& rate = rates_[kind];
      if (rate.suppressed == 0) continue;
      sink_({.level = rate.level,
             .kind = static_cast<LogKind>(kind),
             .message = name(static_cast<LogKind>(kind)),
             .suppressed = std::exchange(rate.suppressed, 0)});
    }
  } catch (...) {
    // As in write().
  }
}

}  // namespace dualstream::base
