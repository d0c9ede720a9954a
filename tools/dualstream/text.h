// Text that comes from outside, made fit to be printed or put into JSON.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace dualstream::command {

// The parts one after the other.
[[nodiscard]] std::string concat(std::initializer_list<std::string_view> parts);

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

// Control bytes as \xNN, also those of the second range (U+0080 to U+009F) and, in text that is not
// UTF-8, every byte from 0x80: a terminal must not take orders from a file.
[[nodiscard]] std::string printable(std::string_view text);

// Appends `text` in quotes, escaped as JSON. What is not UTF-8 is appended as if each of its bytes
// were a character (U+0080 to U+00FF), so that the line stays valid and no byte is lost.
void append_json_string(std::string& out, std::string_view text);

[[nodiscard]] std::string base64(std::string_view bytes);

// The inverse; false for a text that base64() does not write.
[[nodiscard]] bool from_base64(std::string_view text, std::string& bytes);

}  // namespace dualstream::command
