// A pattern and a text: they match where Redis' own stringmatchlen() says so, which decides what a
// subscriber of the pattern is sent.
//
// The input: the pattern, up to the first newline, then the text.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "fuzz/require.h"
#include "subscriber/selection.h"

using dualstream::fuzz::require;

namespace {

// As redis 7.0's util.c goes about it, step by step. `pattern` begins behind the `[`, and ends at
// what closes the class.
bool class_has(std::string_view& pattern, char c) {
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  bool found = false;
  for (; !pattern.empty() && !pattern.starts_with(']'); pattern.remove_prefix(1)) {
    if (pattern.size() >= 2 && pattern[0] == '\\') {
      pattern.remove_prefix(1);
      found = found || pattern[0] == c;
    } else if (pattern.size() >= 3 && pattern[1] == '-') {
      char low = pattern[0];
      char high = pattern[2];
      if (low > high) std::swap(low, high);
      pattern.remove_prefix(2);
      found = found || (low <= c && c <= high);
    } else {
      found = found || pattern[0] == c;
    }
  }
  return found != negated;
}

// NOLINTNEXTLINE(misc-no-recursion): as Redis does it; the inputs are short.
bool redis_matches(std::string_view pattern, std::string_view text) {
  while (!pattern.empty() && !text.empty()) {
    if (pattern[0] == '*') {
      while (pattern.starts_with("**")) pattern.remove_prefix(1);
      if (pattern.size() == 1) return true;
      for (; !text.empty(); text.remove_prefix(1)) {
        if (redis_matches(pattern.substr(1), text)) return true;
      }
      return false;
    }
    if (pattern[0] == '[') {
      pattern.remove_prefix(1);
      if (!class_has(pattern, text[0])) return false;
    } else if (pattern[0] != '?') {
      if (pattern[0] == '\\' && pattern.size() >= 2) pattern.remove_prefix(1);
      if (pattern[0] != text[0]) return false;
    }
    text.remove_prefix(1);
    if (!pattern.empty()) pattern.remove_prefix(1);
    if (text.empty()) {
      while (pattern.starts_with('*')) pattern.remove_prefix(1);
    }
  }
  return pattern.empty() && text.empty();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Redis' way takes time that grows with each `*`.
  if (size > 64) return 0;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const std::size_t newline = input.find('\n');
  if (newline == std::string_view::npos || newline + 1 == size) return 0;  // No channel is empty.
  const std::string_view pattern = input.substr(0, newline);
  const std::string_view text = input.substr(newline + 1);
  require(dualstream::subscriber::matches_pattern(pattern, text) == redis_matches(pattern, text),
          "it matches as Redis does");
  return 0;
}
