#include "base/log.h"

#include <cstdio>
#include <utility>

namespace dualstream::base {
namespace {

std::string_view prefix(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "unknown";
}

void write_to_stderr(LogLevel level, std::string_view line) {
  if (level < LogLevel::warning) return;
  const std::string_view name = prefix(level);
  std::fprintf(stderr, "dualstream: %.*s: %.*s\n", static_cast<int>(name.size()), name.data(),
               static_cast<int>(line.size()), line.data());
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

Log::Log(Sink sink) : sink_(sink ? std::move(sink) : Sink{write_to_stderr}) {}

void Log::write(LogLevel level, std::string_view line) noexcept {
  try {
    const std::string clean = escaped(line);
    const std::lock_guard lock{mutex_};
    sink_(level, clean);
  } catch (...) {
    // The sink is the host program's; what it throws is not ours to handle, and the flow goes on.
  }
}

}  // namespace dualstream::base
