#include "redis/json_text.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace dualstream::redis {
namespace {

constexpr std::uint64_t each_byte(unsigned char byte) noexcept {
  return 0x0101010101010101ULL * byte;
}

// The high bit of each byte that is zero. Bytes above a zero one may show too, which is no matter
// here: the question is whether there is any.
constexpr std::uint64_t zero_bytes(std::uint64_t word) noexcept {
  return (word - each_byte(1)) & ~word & each_byte(0x80);
}

// Whether any of the eight bytes is a control byte, a quote, a backslash or not ASCII.
constexpr bool needs_a_closer_look(std::uint64_t word) noexcept {
  const std::uint64_t controls = (word - each_byte(0x20)) & ~word;
  return (((controls | word) & each_byte(0x80)) | zero_bytes(word ^ each_byte('"')) |
          zero_bytes(word ^ each_byte('\\'))) != 0;
}

bool is_plain(std::string_view text) noexcept {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    if (needs_a_closer_look(word)) return false;
  }
  if (i == text.size()) return true;
  std::uint64_t word = each_byte(' ');
  std::memcpy(&word, text.data() + i, text.size() - i);
  return !needs_a_closer_look(word);
}

// Bytes of the UTF-8 sequence that begins at `at`; 0 if it is none (Unicode 15, table 3-7). Where
// it is broken, `broken_size` says how many bytes one replacement stands for.
std::size_t utf8_size(std::string_view text, std::size_t at, std::size_t& broken_size) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  broken_size = 1;
  std::size_t size = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) {
    size = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    size = 3;
    if (lead == 0xe0) low = 0xa0;   // Shorter forms exist.
    if (lead == 0xed) high = 0x9f;  // Surrogates.
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    size = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;  // Beyond U+10FFFF.
  } else {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if (at + i >= text.size() || byte(i) < low || byte(i) > high) {
      broken_size = i;
      return 0;
    }
    low = 0x80;
    high = 0xbf;
  }
  return size;
}

void put_escaped(MessageBuffer& out, char c) noexcept {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out.put("\\\"");
      return;
    case '\\':
      out.put("\\\\");
      return;
    case '\n':
      out.put("\\n");
      return;
    case '\r':
      out.put("\\r");
      return;
    case '\t':
      out.put("\\t");
      return;
    default:
      out.put("\\u00");
      out.put(kHex[static_cast<unsigned char>(c) >> 4]);
      out.put(kHex[static_cast<unsigned char>(c) & 0xf]);
  }
}

void put_with_care(MessageBuffer& out, std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      if (byte < 0x20 || c == '"' || c == '\\') {
        put_escaped(out, c);
      } else {
        out.put(c);
      }
      i += 1;
      continue;
    }
    std::size_t broken_size = 0;
    const std::size_t size = utf8_size(text, i, broken_size);
    if (size > 0) {
      out.put(text.substr(i, size));
      i += size;
    } else {
      out.put("\\ufffd");
      i += broken_size;
    }
  }
}

}  // namespace

void put_json_string(MessageBuffer& out, std::string_view text) noexcept {
  out.put('"');
  if (is_plain(text)) {
    out.put(text);
  } else {
    put_with_care(out, text);
  }
  out.put('"');
}

}  // namespace dualstream::redis
