#include "line_reader.h"

#include <algorithm>
#include <cerrno>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

using std::string_literals::operator""s;

// Gives its text in reads of at most `read_bytes`, and then `last`.
class TextSource final : public ByteSource {
 public:
  TextSource(std::string text, std::size_t read_bytes, ReadAnswer last = {})
      : text_(std::move(text)), read_bytes_(read_bytes), last_(last) {}

  ReadAnswer read(std::span<char> into) override {
    const std::size_t size = std::min({into.size(), read_bytes_, text_.size() - given_});
    largest_read_ = std::max(largest_read_, into.size());
    if (size == 0) return last_;
    std::copy_n(text_.data() + given_, size, into.data());
    given_ += size;
    return {.result = ReadResult::bytes, .size = size};
  }

  [[nodiscard]] std::size_t largest_read() const { return largest_read_; }

 private:
  const std::string text_;
  const std::size_t read_bytes_;
  const ReadAnswer last_;
  std::size_t given_ = 0;
  std::size_t largest_read_ = 0;
};

struct Read {
  std::string lines;  // "1:text|", with "blank" or "long(text)" for the other kinds.
  NextResult end = NextResult::end;
};

Read read_all(LineReader& reader) {
  Read read;
  std::string piece;
  Line line;
  while ((read.end = reader.next(line)) == NextResult::line) {
    piece += line.text;
    if (!line.last) continue;
    read.lines += std::to_string(line.number) + ":";
    read.lines += line.kind == LineKind::blank      ? "blank"
                  : line.kind == LineKind::too_long ? "long(" + piece + ")"
                                                    : piece;
    read.lines += '|';
    piece.clear();
  }
  return read;
}

std::string lines_of(const std::string& text, std::size_t read_bytes = 1 << 20,
                     const LineReaderOptions& options = {}) {
  TextSource source{text, read_bytes};
  LineReader reader{source, options};
  return read_all(reader).lines;
}

TEST(LineReaderTest, CutsAtNewlinesAndNumbersFromOne) {
  EXPECT_EQ(lines_of("one\ntwo\nthree\n"), "1:one|2:two|3:three|");
}

TEST(LineReaderTest, TakesALastLineWithoutItsNewline) {
  EXPECT_EQ(lines_of("one\ntw"), "1:one|2:tw|");
}

TEST(LineReaderTest, GivesNothingForNothing) {
  EXPECT_EQ(lines_of(""), "");
  EXPECT_EQ(lines_of("\xef\xbb\xbf"), "");
}

TEST(LineReaderTest, TakesCrLfForAnEnd) {
  EXPECT_EQ(lines_of("one\r\ntwo\r\nthree\r"), "1:one|2:two|3:three|");
  EXPECT_EQ(lines_of("a\rb\n"), "1:a\rb|");
  EXPECT_EQ(lines_of("a\r\r\n"), "1:a\r|");
}

TEST(LineReaderTest, KeepsTheBytesOfALineAsTheyCame) {
  TextSource source{"{} \r\n", 100};
  LineReader reader{source, {}};
  Line line;
  ASSERT_EQ(reader.next(line), NextResult::line);
  EXPECT_EQ(line.text, "{} ");
  EXPECT_EQ(line.raw, "{} \r");
}

TEST(LineReaderTest, TakesAByteOrderMarkAwayAtTheStartOnly) {
  EXPECT_EQ(lines_of("\xef\xbb\xbfone\n"), "1:one|");
  EXPECT_EQ(lines_of("one\n\xef\xbb\xbftwo\n"), "1:one|2:\xef\xbb\xbftwo|");
  EXPECT_EQ(lines_of("\xef\xbb\n"), "1:\xef\xbb|");
  EXPECT_EQ(lines_of("\n\xef\xbb\xbfone\n", 1), "1:blank|2:\xef\xbb\xbfone|");
}

TEST(LineReaderTest, TellsBlankLinesApart) {
  EXPECT_EQ(lines_of("one\n\n  \t\r\n\r\ntwo\n"), "1:one|2:blank|3:blank|4:blank|5:two|");
}

TEST(LineReaderTest, TakesNulForAByteLikeAnyOther) {
  EXPECT_EQ(lines_of("a\0b\n\0\n"s), "1:a\0b|2:\0|"s);
}

TEST(LineReaderTest, GivesTheSameLinesHoweverTheBytesArrive) {
  const std::string text =
      "\xef\xbb\xbf"
      "first\r\n\n0123456789\r\n01234567890\n\r\nab\xef\xbb\xbf\nlast";
  const std::string expected =
      "1:first|2:blank|3:0123456789|4:long(01234567890)|5:blank|6:ab\xef\xbb\xbf|7:last|";
  for (std::size_t read_bytes = 1; read_bytes <= text.size(); ++read_bytes) {
    for (const std::size_t block_bytes : {1U, 2U, 3U, 7U, 64U}) {
      EXPECT_EQ(lines_of(text, read_bytes, {.line_bytes_max = 10, .block_bytes = block_bytes}),
                expected)
          << read_bytes << " bytes a read, blocks of " << block_bytes;
    }
  }
}

TEST(LineReaderTest, GivesALineOfExactlyTheLimitWhole) {
  const LineReaderOptions options{.line_bytes_max = 4, .block_bytes = 3};
  EXPECT_EQ(lines_of("1234\n", 100, options), "1:1234|");
  EXPECT_EQ(lines_of("1234\r\n", 100, options), "1:1234|");
  EXPECT_EQ(lines_of("1234", 100, options), "1:1234|");
  EXPECT_EQ(lines_of("12345\n", 100, options), "1:long(12345)|");
  EXPECT_EQ(lines_of("12345", 100, options), "1:long(12345)|");
}

TEST(LineReaderTest, PassesALineOverTheLimitThroughInPiecesWithoutHoldingIt) {
  const std::string huge(100'000, 'x');
  TextSource source{"a\n" + huge + "\nb\n", 1 << 20};
  LineReader reader{source, {.line_bytes_max = 100, .block_bytes = 64}};
  std::size_t pieces = 0;
  std::size_t largest = 0;
  std::string whole;
  std::string others;
  Line line;
  while (reader.next(line) == NextResult::line) {
    if (line.kind != LineKind::too_long) {
      others += std::to_string(line.number) + std::string{line.text};
      continue;
    }
    EXPECT_EQ(line.number, 2U);
    pieces += 1;
    largest = std::max(largest, line.raw.size());
    whole += line.raw;
  }
  EXPECT_EQ(whole, huge);
  EXPECT_EQ(others, "1a3b");
  EXPECT_GT(pieces, 100U);
  EXPECT_LE(largest, 170U);
  EXPECT_LE(source.largest_read(), 64U);
}

TEST(LineReaderTest, StopsBetweenLinesAndSaysWhatIsLeftOver) {
  TextSource source{"one\ntwo\nthr", 100, {.result = ReadResult::stopped}};
  LineReader reader{source, {}};
  const Read read = read_all(reader);
  EXPECT_EQ(read.lines, "1:one|2:two|");
  EXPECT_EQ(read.end, NextResult::stopped);
  EXPECT_EQ(reader.left_over(), 3U);
}

TEST(LineReaderTest, GivesWhatCameBeforeAnError) {
  TextSource source{"one\ntw", 100, {.result = ReadResult::failed, .error = EIO}};
  LineReader reader{source, {}};
  const Read read = read_all(reader);
  EXPECT_EQ(read.lines, "1:one|");
  EXPECT_EQ(read.end, NextResult::failed);
  EXPECT_EQ(reader.error(), EIO);
}

// What lines are, written as plainly as possible.
std::string naive_lines(std::string text, std::size_t line_bytes_max) {
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  std::string lines;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string raw = text.substr(0, end);
    text.erase(0, end + 1);
    const std::string line = raw.ends_with('\r') ? raw.substr(0, raw.size() - 1) : raw;
    lines += std::to_string(number) + ":";
    if (line.size() > line_bytes_max) {
      lines += "long(" + raw + ")";
    } else if (line.find_first_not_of(" \t") == std::string::npos) {
      lines += "blank";
    } else {
      lines += line;
    }
    lines += '|';
  }
  return lines;
}

TEST(LineReaderTest, AgreesWithANaiveTwinOnRandomText) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random{seed};
  const auto up_to = [&random](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>{0, most}(random);
  };
  const std::vector<std::string> parts{"\n",  "\r",           "\r\n",     " ",          "\t", "a",
                                       "bcd", "\xef\xbb\xbf", "\xef\xbb", "0123456789", "\0"s};
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    for (std::size_t count = up_to(30); count > 0; --count) text += parts[up_to(parts.size() - 1)];
    const LineReaderOptions options{.line_bytes_max = 1 + up_to(12), .block_bytes = 1 + up_to(20)};
    ASSERT_EQ(lines_of(text, 1 + up_to(20), options), naive_lines(text, options.line_bytes_max))
        << "seed " << seed << ", round " << round;
  }
}

// Of each line of a random text, what is left behind it.
TEST(LineReaderTest, GoesOnAtAnyLineAsIfItHadReadThoseBefore) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  std::string text = "\xef\xbb\xbf";
  for (int i = 0; i < 2'000; ++i) text += "ab \r\n\n"[random() % 6];
  const LineReaderOptions options{.line_bytes_max = 5, .block_bytes = 7};
  TextSource source{text, 7};
  LineReader reader{source, options};
  Line line;
  while (reader.next(line) == NextResult::line) {
    if (!line.last) continue;
    TextSource rest{text.substr(reader.offset()), 7};
    LineReader second{rest, options, {.line = line.number + 1, .offset = reader.offset()}};
    TextSource whole{text, 7};
    LineReader first{whole, options};
    std::string expected = read_all(first).lines;
    const std::string next = std::to_string(line.number + 1) + ":";
    const std::size_t at = expected.find("|" + next);
    expected = at == std::string::npos ? "" : expected.substr(at + 1);
    ASSERT_EQ(read_all(second).lines, expected) << "line " << line.number;
    ASSERT_EQ(second.offset(), text.size());
  }
}

}  // namespace
}  // namespace dualstream::command
