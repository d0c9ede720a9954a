// PushParser reads what Redis sends to a subscriber (RESP2): one-line replies and arrays of texts
// and numbers.
//
//   *3\r\n $7\r\nmessage\r\n $11\r\nevents:repo\r\n $5\r\nhello\r\n     ["message", channel, text]
//   *4\r\n $8\r\npmessage\r\n ...                                      ["pmessage", pattern, ...]
//   *3\r\n $9\r\nsubscribe\r\n $11\r\nevents:repo\r\n :1\r\n           ["subscribe", channel, "1"]
//   +OK\r\n   -NOPERM ...\r\n
//
// hiredis' own parser trusts the sizes of arrays before 1.0.1 (CVE-2021-32765), and copies each
// element to a place of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dualstream::redis {

// What was read. The views live until the next feed() or next().
struct Push {
  static constexpr std::size_t kPartsMax = 4;

  enum class Kind : std::uint8_t { status, error, array };
  Kind kind = Kind::status;
  // A line's text, or an array's elements; numbers as their digits, a null as nothing.
  std::array<std::string_view, kPartsMax> parts{};
  std::size_t count = 0;
};

// Thread: one at a time.
class PushParser {
 public:
  // No element is longer, and what is fed and not read stays below twice of it.
  static constexpr std::size_t kTextBytesMax = 64 * 1024 * 1024;

  enum class Result : std::uint8_t { push, more, broken };

  // What arrived behind what was fed before. Appends in place: take `buffer()` and add to it.
  [[nodiscard]] std::string& buffer();

  [[nodiscard]] Result next(Push& out);

  // Of a new connection.
  void reset() noexcept;

 private:
  [[nodiscard]] Result line(std::size_t& at, std::string_view& text) const;
  [[nodiscard]] static bool number(std::string_view digits, std::int64_t& out) noexcept;

  std::string buffer_;
  std::size_t read_ = 0;  // Before it all was returned.
};

}  // namespace dualstream::redis
