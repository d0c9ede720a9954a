#include "text.h"

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

using std::string_literals::operator""s;

TEST(TextTest, EscapesWhateverATerminalCouldObey) {
  EXPECT_EQ(printable("plain, größer, 漢字"), "plain, größer, 漢字");
  EXPECT_EQ(printable("\x1b[2J\x07\r\n\t\x7f"s), "\\x1b[2J\\x07\\x0d\\x0a\\x09\\x7f");
  EXPECT_EQ(printable("a\0b"s), "a\\x00b");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "\\u009b2J");
}

TEST(TextTest, EscapesEveryHighByteOfTextThatIsNotUtf8) {
  EXPECT_EQ(printable("\x9b"
                      "2J\xc3\xa9"),
            "\\x9b2J\\xc3\\xa9");
  EXPECT_EQ(printable("cut \xc2"), "cut \\xc2");
}

TEST(TextTest, WritesJsonStrings) {
  std::string out;
  append_json_string(out, "a\"b\\c\n\r\t\x01\x7f größer"s);
  EXPECT_EQ(out, R"("a\"b\\c\n\r\t\u0001\u007f größer")");
  out.clear();
  append_json_string(out,
                     "\xff"
                     "a");
  EXPECT_EQ(out, R"("\u00ffa")");
}

TEST(TextTest, EncodesBase64) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("\xff\x00\xfe"s), "/wD+");
}

}  // namespace
}  // namespace dualstream::command
