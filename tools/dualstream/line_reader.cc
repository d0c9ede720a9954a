#include "line_reader.h"

#include <cstring>

namespace dualstream::command {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

}  // namespace

LineReader::LineReader(ByteSource& source, const LineReaderOptions& options,
                       const LinePosition& start)
    : source_(source),
      options_(options),
      // The longest line with its "\r\n" and a mark, whatever lies before it in the block.
      buffer_(options.line_bytes_max + options.block_bytes + kByteOrderMark.size() + 2),
      start_offset_(start.offset),
      number_(start.line - 1),
      start_(start.offset == 0) {}

NextResult LineReader::next(Line& line) {
  while (true) {
    if (take_line(line)) return NextResult::line;
    if (at_end_) {
      if (begin_ == end_ && !too_long_) return NextResult::end;
      give(line, end_ - begin_, false);
      return NextResult::line;
    }
    switch (const ReadAnswer answer = fill(); answer.result) {
      case ReadResult::bytes:
        break;
      case ReadResult::end:
        at_end_ = true;
        break;
      case ReadResult::stopped:
        return NextResult::stopped;
      case ReadResult::failed:
        error_ = answer.error;
        return NextResult::failed;
    }
  }
}

// Gives out a line that has its '\n', or a piece of one that is too long already.
bool LineReader::take_line(Line& line) {
  if (start_ && !past_start()) return false;
  const char* const from = buffer_.data() + searched_;
  const auto* const found = static_cast<const char*>(std::memchr(from, '\n', end_ - searched_));
  if (found != nullptr) {
    give(line, static_cast<std::size_t>(found - buffer_.data()) - begin_, true);
    return true;
  }
  searched_ = end_;
  // One byte more may be the '\r' of an end that is still to come.
  if (end_ - begin_ <= options_.line_bytes_max + 1) return false;
  give_piece(line, end_ - begin_, false);
  return true;
}

// `size` bytes from begin_ on are the rest of a line; `ended` when a '\n' follows them.
void LineReader::give(Line& line, std::size_t size, bool ended) {
  const std::string_view raw{buffer_.data() + begin_, size};
  std::string_view text = raw;
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (too_long_ || text.size() > options_.line_bytes_max) {
    give_piece(line, size, true);
    line.ended = ended;
    begin_ += ended ? 1 : 0;
    searched_ = begin_;
    return;
  }
  number_ += 1;
  line = {.kind = is_blank(text) ? LineKind::blank : LineKind::whole,
          .number = number_,
          .text = text,
          .raw = raw,
          .last = true,
          .ended = ended};
  begin_ += size + (ended ? 1 : 0);
  searched_ = begin_;
}

void LineReader::give_piece(Line& line, std::size_t size, bool last) {
  if (!too_long_) number_ += 1;
  const std::string_view piece{buffer_.data() + begin_, size};
  line = {.kind = LineKind::too_long, .number = number_, .text = piece, .raw = piece, .last = last};
  begin_ += size;
  searched_ = begin_;
  too_long_ = !last;
}

// Moves the part of a line that is left to the front, and reads a block behind it.
ReadAnswer LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    searched_ -= begin_;
    end_ -= begin_;
    begin_ = 0;
  }
  const ReadAnswer answer = source_.read({buffer_.data() + end_, options_.block_bytes});
  if (answer.result == ReadResult::bytes) {
    end_ += answer.size;
    bytes_ += answer.size;
  }
  return answer;
}

// Whether it is known if a byte order mark stands at the start; it is taken away then.
bool LineReader::past_start() {
  const std::string_view front{buffer_.data() + begin_, end_ - begin_};
  const bool may_become_one =
      front.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(front);
  if (may_become_one && !at_end_) return false;
  start_ = false;
  if (front.starts_with(kByteOrderMark)) begin_ += kByteOrderMark.size();
  searched_ = begin_;
  return true;
}

}  // namespace dualstream::command
