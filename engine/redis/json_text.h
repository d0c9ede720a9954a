// JSON's strings and numbers, appended fast: most texts have nothing to escape, and eight bytes at
// a time are looked at to know it.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace dualstream::redis {

// Appends `text` as a JSON string, quotes included. Bytes that are no UTF-8 become \ufffd, so that
// the result is JSON whatever the text was.
void append_json_string(std::string& out, std::string_view text);

inline void append_number(std::string& out, std::integral auto number) {
  char digits[24];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

}  // namespace dualstream::redis
