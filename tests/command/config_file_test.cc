#include "config_file.h"

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

// "key@line=value,value;" of each entry, or the error.
std::string parse(std::string_view text) {
  std::vector<ConfigEntry> entries;
  const Status status = parse_config(text, "my.conf", entries);
  if (!status.ok()) return status.message;
  std::string all;
  for (const ConfigEntry& entry : entries) {
    all += entry.key + "@" + std::to_string(entry.line) + "=";
    for (const std::string& value : entry.values) all += value + ",";
    all += ';';
  }
  return all;
}

TEST(ConfigFileTest, ReadsNamesAndValues) {
  EXPECT_EQ(parse("brokers = localhost:9092\ntopic=events\n"),
            "brokers@1=localhost:9092,;topic@2=events,;");
}

TEST(ConfigFileTest, SkipsCommentsAndBlankLinesAndCountsThem) {
  EXPECT_EQ(parse("# comment\n\n; another\n  topic = a b  # why\r\n"), "topic@4=a b,;");
  EXPECT_EQ(parse("\xef\xbb\xbftopic = a"), "topic@1=a,;");
}

TEST(ConfigFileTest, TakesAHashForACommentOnlyBehindASpace) {
  EXPECT_EQ(parse("redis = a#b #c"), "redis@1=a#b,;");
  EXPECT_EQ(parse("redis = \"a #b\" # c"), "redis@1=a #b,;");
}

TEST(ConfigFileTest, ReadsQuotes) {
  EXPECT_EQ(parse(R"(a = "x \"y\" \\ z")"), R"(a@1=x "y" \ z,;)");
  EXPECT_EQ(parse(R"(a = 'x "y" \n')"), R"(a@1=x "y" \n,;)");
  EXPECT_EQ(parse("a = \"\""), "a@1=,;");
}

TEST(ConfigFileTest, ReadsListsOnOneLine) {
  EXPECT_EQ(parse(R"(channel = ["a, b", 'c]', d ] # three)"), "channel@1=a, b,c],d,;");
  EXPECT_EQ(parse("channel = []"), "channel@1=;");
}

TEST(ConfigFileTest, NamesFileLineAndRuleOfAnError) {
  EXPECT_EQ(parse("topic = a\nbrokers\n"), "my.conf:2: a line is written `name = value`");
  EXPECT_EQ(parse("[kafka]\n"), "my.conf:1: there are no [sections]: write `name = value`");
  EXPECT_EQ(parse("= 1"), "my.conf:1: there is no name before the `=`");
  EXPECT_EQ(parse("a ="), "my.conf:1: there is no value; an empty one is written \"\"");
  EXPECT_EQ(parse("a = # c"), "my.conf:1: there is no value; an empty one is written \"\"");
  EXPECT_EQ(parse("a = \"b"), "my.conf:1: the quote \" is not closed");
  EXPECT_EQ(parse("a = \"b\\"),
            "my.conf:1: of escapes, \\\" \\\\ \\n and \\t are known; '...' "
            "takes a backslash as it is");
  EXPECT_EQ(parse("a = 'b"), "my.conf:1: the quote ' is not closed");
  EXPECT_EQ(parse("a = \"b\" c"), "my.conf:1: `c` follows the value");
  EXPECT_EQ(parse("\n\na = [b"), "my.conf:3: a list is written [\"one\", \"two\"] on one line");
  EXPECT_EQ(parse("a = ["), "my.conf:1: the list has no end: close it with ] on the same line");
}

TEST(ConfigFileTest, ReadsBackWhatItQuotes) {
  for (const std::string value : {"", "plain", "a \"b\" \\ c", "tab\tnewline\n#"}) {
    EXPECT_EQ(parse("a = " + config_quoted(value)), "a@1=" + value + ",;");
  }
}

TEST(ConfigFileTest, SaysWhyAFileCannotBeRead) {
  std::vector<ConfigEntry> entries;
  EXPECT_EQ(read_config("no/such.conf", entries).message,
            "cannot read no/such.conf: No such file or directory");
  EXPECT_EQ(read_config("/", entries).message, "cannot read /: Is a directory");
}

}  // namespace
}  // namespace dualstream::command
