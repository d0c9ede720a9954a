// LowWater knows how far an input is done with: up to its first line without a final outcome.
//
//   mark()                                   the last line that was begun
//     | open | settled | settled | open | ... |
//
// Lines are begun in their order and settled in any. What lies before the mark is forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "fingerprint.h"

namespace dualstream::command {

// Where a line begins: its number, from 1, and its first byte.
struct LinePosition {
  std::uint64_t line = 1;
  std::uint64_t offset = 0;

  bool operator==(const LinePosition&) const = default;
};

// The next line to read, and the last bytes of the line before it.
struct InputMark {
  LinePosition next;
  Fingerprint before;

  bool operator==(const InputMark&) const = default;
};

// Thread: one at a time.
class LowWater {
 public:
  LowWater() = default;
  explicit LowWater(const InputMark& start) : mark_(start) {}

  // The next line is being worked on. `end` is where the line after it begins, `last` its own last
  // bytes.
  void begin(std::uint64_t end, const Fingerprint& last);

  // The line has its final outcome. Throws std::out_of_range for one that was not begun, or is
  // before the mark already.
  void settle(std::uint64_t line);

  [[nodiscard]] const InputMark& mark() const noexcept { return mark_; }

  // The number of the line that begin() will take.
  [[nodiscard]] std::uint64_t next_line() const noexcept { return mark_.next.line + lines_.size(); }

  // Lines behind the mark.
  [[nodiscard]] std::size_t held() const noexcept { return lines_.size(); }

 private:
  struct Begun {
    std::uint64_t end = 0;
    Fingerprint last;
    bool settled = false;
  };

  InputMark mark_;
  // From the mark on.
  std::deque<Begun> lines_;
};

}  // namespace dualstream::command
