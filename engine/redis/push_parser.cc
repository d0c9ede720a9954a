#include "redis/push_parser.h"

#include <charconv>

namespace dualstream::redis {
namespace {

// A number or an error is no longer.
constexpr std::size_t kLineBytesMax = 16 * 1024;
// What one long message made large is given back.
constexpr std::size_t kBufferBytesKept = 256 * 1024;

}  // namespace

std::string& PushParser::buffer() {
  if (read_ > 0 && read_ == buffer_.size()) {
    if (buffer_.capacity() > kBufferBytesKept) std::string{}.swap(buffer_);
    buffer_.clear();
    read_ = 0;
  } else if (read_ > buffer_.size() / 2) {
    buffer_.erase(0, read_);
    read_ = 0;
  }
  return buffer_;
}

void PushParser::reset() noexcept {
  buffer_.clear();
  read_ = 0;
}

PushParser::Result PushParser::line(std::size_t& at, std::string_view& text) const {
  const std::size_t end = buffer_.find("\r\n", at);
  if (end == std::string::npos) {
    return buffer_.size() - at > kLineBytesMax ? Result::broken : Result::more;
  }
  text = std::string_view{buffer_}.substr(at, end - at);
  at = end + 2;
  return Result::push;
}

bool PushParser::number(std::string_view digits, std::int64_t& out) noexcept {
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, out);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

PushParser::Result PushParser::next(Push& out) {
  std::size_t at = read_;
  std::string_view text;
  if (const Result result = line(at, text); result != Result::push) return result;
  if (text.empty()) return Result::broken;
  const char kind = text.front();
  text.remove_prefix(1);
  if (kind == '+' || kind == '-') {
    out.kind = kind == '+' ? Push::Kind::status : Push::Kind::error;
    out.parts[0] = text;
    out.count = 1;
    read_ = at;
    return Result::push;
  }
  std::int64_t count = 0;
  if (kind != '*' || !number(text, count) || count < 1 ||
      count > static_cast<std::int64_t>(Push::kPartsMax)) {
    return Result::broken;
  }
  out.kind = Push::Kind::array;
  out.count = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < out.count; ++i) {
    if (const Result result = line(at, text); result != Result::push) return result;
    if (text.empty()) return Result::broken;
    const char element = text.front();
    text.remove_prefix(1);
    if (element == ':') {
      out.parts[i] = text;
      continue;
    }
    std::int64_t size = 0;
    if (element != '$' || !number(text, size) || size > static_cast<std::int64_t>(kTextBytesMax)) {
      return Result::broken;
    }
    out.parts[i] = {};
    if (size < 0) continue;  // Null.
    const auto bytes = static_cast<std::size_t>(size);
    if (buffer_.size() - at < bytes + 2) return Result::more;
    out.parts[i] = std::string_view{buffer_}.substr(at, bytes);
    if (std::string_view{buffer_}.substr(at + bytes, 2) != "\r\n") return Result::broken;
    at += bytes + 2;
  }
  read_ = at;
  return Result::push;
}

}  // namespace dualstream::redis
