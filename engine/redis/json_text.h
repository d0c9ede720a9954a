// JSON strings, written fast: most texts have nothing to escape, and eight bytes at a time are
// looked at to know it.
#pragma once

#include <cstddef>
#include <string_view>

#include "redis/message_buffer.h"

namespace dualstream::redis {

// The most that a text becomes: each byte six, and the quotes.
[[nodiscard]] constexpr std::size_t json_string_bytes_max(std::size_t text_bytes) noexcept {
  return 6 * text_bytes + 2;
}

// Puts `text` as a JSON string, quotes included; there is room for json_string_bytes_max(). Bytes
// that are no UTF-8 become \ufffd, so that the result is JSON whatever the text was.
void put_json_string(MessageBuffer& out, std::string_view text) noexcept;

}  // namespace dualstream::redis
