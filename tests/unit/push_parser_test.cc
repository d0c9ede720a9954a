#include "redis/push_parser.h"

#include <string>

#include <gtest/gtest.h>

namespace dualstream::redis {
namespace {

// "array message|events:repo|hello"
std::string text(const Push& push) {
  std::string all = push.kind == Push::Kind::array    ? "array "
                    : push.kind == Push::Kind::status ? "status "
                                                      : "error ";
  for (std::size_t i = 0; i < push.count; ++i) {
    if (i > 0) all += '|';
    all += push.parts[i];
  }
  return all;
}

constexpr std::string_view kStream =
    "+OK\r\n"
    "-NOPERM this user has no permissions\r\n"
    "*3\r\n$9\r\nsubscribe\r\n$11\r\nevents:repo\r\n:1\r\n"
    "*3\r\n$7\r\nmessage\r\n$11\r\nevents:repo\r\n$8\r\na\r\nb\r\nc!\r\n"
    "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$0\r\n\r\n"
    "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"
    "*2\r\n$4\r\npong\r\n$0\r\n\r\n";

std::string parse_in_pieces(std::size_t piece) {
  PushParser parser;
  std::string all;
  for (std::size_t at = 0; at < kStream.size(); at += piece) {
    parser.buffer().append(kStream.substr(at, piece));
    Push push;
    PushParser::Result result = PushParser::Result::more;
    while ((result = parser.next(push)) == PushParser::Result::push) all += text(push) + "\n";
    EXPECT_EQ(result, PushParser::Result::more);
  }
  return all;
}

TEST(PushParserTest, ReadsTheSameWhateverThePiecesAre) {
  const std::string whole = parse_in_pieces(kStream.size());
  EXPECT_EQ(whole,
            "status OK\n"
            "error NOPERM this user has no permissions\n"
            "array subscribe|events:repo|1\n"
            "array message|events:repo|a\r\nb\r\nc!\n"
            "array pmessage|*|c|\n"
            "array unsubscribe||0\n"
            "array pong|\n");
  for (std::size_t piece = 1; piece < 40; ++piece) EXPECT_EQ(parse_in_pieces(piece), whole);
}

TEST(PushParserTest, RefusesWhatRedisDoesNotSend) {
  for (const std::string& bytes :
       {std::string{"*5\r\n"}, std::string{"*0\r\n"}, std::string{"*-1\r\n"},
        std::string{"*99999999999999999999\r\n"}, std::string{"$3\r\nabc\r\n"},
        std::string{"hello\r\n"}, std::string{"\r\n"}, std::string{"*1\r\n*1\r\n"},
        std::string{"*1\r\n$99999999999\r\n"}, std::string{"*1\r\n$2\r\nabcd"},
        std::string(20'000, 'x')}) {
    PushParser parser;
    parser.buffer() = bytes;
    Push push;
    EXPECT_EQ(parser.next(push), PushParser::Result::broken) << bytes.substr(0, 30);
  }
}

TEST(PushParserTest, ForgetsHalfAReplyOfAnEarlierConnection) {
  PushParser parser;
  parser.buffer() = "*3\r\n$7\r\nmess";
  Push push;
  EXPECT_EQ(parser.next(push), PushParser::Result::more);
  parser.reset();
  parser.buffer() += "+PONG\r\n";
  ASSERT_EQ(parser.next(push), PushParser::Result::push);
  EXPECT_EQ(text(push), "status PONG");
}

}  // namespace
}  // namespace dualstream::redis
