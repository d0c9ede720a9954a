#include "event/event_parser.h"

#include <string>

#include <gtest/gtest.h>

namespace dualstream::event {
namespace {

class EventParserTest : public ::testing::Test {
 protected:
  EventParser::Result parse(std::string_view line) { return parser_.parse(line, event_, reason_); }

  EventParser parser_{JsonOptions{}};
  EventView event_;
  std::string reason_;
};

TEST_F(EventParserTest, FindsTheFieldsAndLeavesTheLineAsItIs) {
  const std::string line =
      R"({"id":"7","type":"PushEvent","repo":{"id":1,"name":"owner/repo"},"x":[1, 2]})";
  const std::string with_newline = line + "\r\n";
  ASSERT_EQ(parse(with_newline), EventParser::Result::ok) << reason_;
  EXPECT_EQ(event_.id, "7");
  EXPECT_EQ(event_.type, "PushEvent");
  EXPECT_EQ(event_.source_type, "repo");
  EXPECT_EQ(event_.source_id, "owner/repo");
  EXPECT_EQ(event_.payload, line);
}

TEST_F(EventParserTest, TakesIntegersAsText) {
  EventParser parser{
      {.id = "/id", .type = "/type", .source_type = "user", .source_id = "/actor/id"}};
  ASSERT_EQ(parser.parse(R"({"id":18446744073709551615,"type":"T","actor":{"id":-665991}})", event_,
                         reason_),
            EventParser::Result::ok);
  EXPECT_EQ(event_.id, "18446744073709551615");
  EXPECT_EQ(event_.source_id, "-665991");
  EXPECT_EQ(event_.source_type, "user");
}

TEST_F(EventParserTest, DecodesEscapesInFieldsButNotInThePayload) {
  const std::string line = R"({"id":"a\u0041\n","type":"T","repo":{"name":"\u00e9"}})";
  ASSERT_EQ(parse(line), EventParser::Result::ok);
  EXPECT_EQ(event_.id, "aA\n");
  EXPECT_EQ(event_.source_id, "é");
  EXPECT_EQ(event_.payload, line);
}

TEST_F(EventParserTest, FollowsPointersWithEscapesAndArrays) {
  EventParser parser{{.id = "/a~1b", .type = "/m~0n", .source_type = "/kinds/1", .source_id = "/"}};
  ASSERT_EQ(parser.parse(R"({"a/b":"1","m~n":"T","kinds":["x","y"],"":"s"})", event_, reason_),
            EventParser::Result::ok)
      << reason_;
  EXPECT_EQ(event_.id, "1");
  EXPECT_EQ(event_.type, "T");
  EXPECT_EQ(event_.source_type, "y");
  EXPECT_EQ(event_.source_id, "s");
}

TEST_F(EventParserTest, SaysWhichFieldIsMissing) {
  EXPECT_EQ(parse(R"({"id":"7","type":"T","repo":{}})"), EventParser::Result::invalid);
  EXPECT_EQ(reason_, "/repo/name (source_id) is missing");
  EXPECT_EQ(parse(R"({"id":"7","type":"T","repo":"flat"})"), EventParser::Result::invalid);
  EXPECT_EQ(reason_, "/repo/name (source_id) is missing");
}

TEST_F(EventParserTest, RefusesFieldsThatAreNeitherTextNorInteger) {
  for (const char* value : {"null", "true", "1.5", "[]", "{}", "1e3"}) {
    EXPECT_EQ(parse(std::string{R"({"type":"T","repo":{"name":"r"},"id":)"} + value + "}"),
              EventParser::Result::invalid)
        << value;
    EXPECT_EQ(reason_, "/id (id) is neither a string nor an integer") << value;
  }
}

TEST_F(EventParserTest, RefusesWhatIsNotOneWholeObject) {
  for (const char* line : {"", " ", "[]", "7", "\"id\"", "null", "{", "{}}", "{} {}", "{\"id\":1,}",
                           "{'id':1}", "{\"id\":\"7\",\"type\":\"T\",\"repo\":{\"name\":\"r\"}",
                           "{\"a\":tru}", "{\"a\":01}", "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}",
                           "{\"a\":\"\\ud800\"}", "{\"a\":\"b}", "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(parse(line), EventParser::Result::invalid) << line;
    EXPECT_FALSE(reason_.empty()) << line;
  }
}

TEST_F(EventParserTest, ValidatesAlsoWhatNoFieldPointsTo) {
  EXPECT_EQ(parse(R"({"id":"7","type":"T","repo":{"name":"r"},"rest":{"x":tru,,}})"),
            EventParser::Result::invalid);
}

TEST_F(EventParserTest, ABadLineCostsOnlyItself) {
  const std::string good = R"({"id":"7","type":"T","repo":{"name":"r"}})";
  EXPECT_EQ(parse(good), EventParser::Result::ok);
  EXPECT_EQ(parse(R"({"id":"unclosed)"), EventParser::Result::invalid);
  EXPECT_EQ(parse(good), EventParser::Result::ok);
  EXPECT_EQ(event_.id, "7");
}

TEST_F(EventParserTest, RefusesALineOverTheLimitAndOneThatIsTooDeep) {
  EventParser parser{{.line_bytes_max = 1024, .depth_max = 8}};
  EXPECT_EQ(parser.parse(std::string(1025, ' '), event_, reason_), EventParser::Result::too_large);
  EXPECT_NE(reason_.find("json.line_bytes_max (1024"), std::string::npos);
  const std::string deep = R"({"id":"7","type":"T","repo":{"name":"r"},"x":)" +
                           std::string(20, '[') + std::string(20, ']') + "}";
  EXPECT_EQ(parser.parse(deep, event_, reason_), EventParser::Result::invalid);
  EXPECT_NE(reason_.find("json.depth_max"), std::string::npos) << reason_;
}

TEST_F(EventParserTest, TakesALineOfExactlyTheLimit) {
  const std::string head = R"({"id":"7","type":"T","repo":{"name":"r"},"x":")";
  const std::string line = head + std::string(1024 * 1024 - head.size() - 2, 'x') + "\"}";
  ASSERT_EQ(line.size(), 1024U * 1024U);
  EXPECT_EQ(parse(line), EventParser::Result::ok) << reason_;
}

TEST(EventParserFieldsTest, RefusesWhatIsNoPointer) {
  EXPECT_TRUE(validate_fields({}).ok());
  EXPECT_FALSE(validate_fields({.id = ""}).ok());
  EXPECT_FALSE(validate_fields({.id = "/a~2"}).ok());
  const Status status = validate_fields({.source_id = "/a~"});
  EXPECT_NE(status.message.find("json.source_id = `/a~`"), std::string::npos) << status.message;
}

}  // namespace
}  // namespace dualstream::event
