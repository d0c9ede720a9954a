// LineReader cuts a stream of bytes into lines.
//
// It reads in large blocks and finds the ends with memchr. A line is what stands before a '\n' or
// before the end; one '\r' before that end and a byte order mark at the very start are not part of
// it. NUL and all other bytes are. A line over line_bytes_max is given out in pieces as it is read,
// so that it is never held:
//
//   buffer:  | given out | begin_ ... a part of a line, or lines ... end_ | room for a block |
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "byte_source.h"
#include "low_water.h"

namespace dualstream::command {

struct LineReaderOptions {
  std::size_t line_bytes_max = 1024 * 1024;
  std::size_t block_bytes = 128 * 1024;
};

enum class LineKind : std::uint8_t {
  whole,
  blank,     // Nothing in it, or spaces and tabs.
  too_long,  // A piece of a line over line_bytes_max; `last` says whether it is the last one.
};

struct Line {
  LineKind kind = LineKind::whole;
  std::uint64_t number = 0;  // From 1.
  std::string_view text;     // Without its end.
  std::string_view raw;      // With the '\r', if it had one.
  bool last = true;
  bool ended = true;  // By a '\n': only the last line of all may lack it.
};

enum class NextResult : std::uint8_t {
  line,
  end,      // All was given out.
  stopped,  // The source was stopped; what is left is a part of a line, or nothing.
  failed,   // See error().
};

// Thread: one at a time.
class LineReader {
 public:
  // `source` outlives it. `start` is where it stands already.
  LineReader(ByteSource& source, const LineReaderOptions& options, const LinePosition& start = {});

  // The views of `line` hold until the next call.
  [[nodiscard]] NextResult next(Line& line);

  // Bytes read so far, and the errno of `failed`.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] int error() const noexcept { return error_; }

  // Where in the whole of the input the next line begins.
  [[nodiscard]] std::uint64_t offset() const noexcept {
    return start_offset_ + bytes_ - left_over();
  }

  // Bytes read that belong to no line given out.
  [[nodiscard]] std::size_t left_over() const noexcept { return end_ - begin_; }

 private:
  bool take_line(Line& line);
  void give(Line& line, std::size_t size, bool ended);
  void give_piece(Line& line, std::size_t size, bool ended);
  ReadAnswer fill();
  bool past_start();

  ByteSource& source_;
  const LineReaderOptions options_;

  std::vector<char> buffer_;
  std::size_t begin_ = 0;     // Of what was not given out.
  std::size_t searched_ = 0;  // From begin_ to here there is no '\n'.
  std::size_t end_ = 0;
  const std::uint64_t start_offset_;
  std::uint64_t number_;  // Of the last line that was begun.
  std::uint64_t bytes_ = 0;
  bool start_;             // At the input's very beginning.
  bool too_long_ = false;  // In the midst of a line over line_bytes_max.
  bool at_end_ = false;
  int error_ = 0;
};

}  // namespace dualstream::command
