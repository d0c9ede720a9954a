// Lines that are made to cost more than they are worth.
#include <cstddef>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "event/event_parser.h"

namespace dualstream::event {
namespace {

// The most memory that this process ever had.
std::size_t peak_bytes() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

class HostileJsonTest : public ::testing::Test {
 protected:
  EventParser::Result parse(EventParser& parser, std::string_view line) {
    return parser.parse(line, event_, reason_);
  }

  static constexpr std::string_view kFields = R"("id":"1","type":"T","repo":{"name":"r"})";

  EventParser usual_{JsonOptions{}};
  EventView event_;
  std::string reason_;
};

TEST_F(HostileJsonTest, I2_ALineOf100MiBIsRefusedUnread) {
  const std::string line(100 * 1024 * 1024, '{');
  const std::size_t before = peak_bytes();
  ASSERT_GT(before, line.size());
  EXPECT_EQ(parse(usual_, line), EventParser::Result::too_large);
  EXPECT_LT(peak_bytes() - before, 1024 * 1024U);
}

TEST_F(HostileJsonTest, I2_ADepthOf100000IsRefusedWithinTheBound) {
  constexpr std::size_t kDepth = 100'000;
  std::string line{"{"};
  line.append(kFields).append(",\"x\":").append(kDepth, '[').append(kDepth, ']').append("}");
  const std::size_t before = peak_bytes();
  EXPECT_EQ(parse(usual_, line), EventParser::Result::invalid);
  EXPECT_LT(peak_bytes() - before, EventParser::bytes_max(JsonOptions{}));
}

TEST_F(HostileJsonTest, I2_AMillionFieldsStayWithinTheBound) {
  std::string line{"{"};
  for (int i = 0; i < 1'000'000; ++i) {
    line.append("\"f").append(std::to_string(i)).append("\":0,");
  }
  line.append(kFields).append("}");
  EXPECT_EQ(parse(usual_, line), EventParser::Result::too_large);
  JsonOptions long_lines;
  long_lines.line_bytes_max = 16 * 1024 * 1024;
  EventParser parser{long_lines};
  const std::size_t before = peak_bytes();
  EXPECT_EQ(parse(parser, line), EventParser::Result::ok) << reason_;
  EXPECT_EQ(event_.source_id, "r");
  EXPECT_LT(peak_bytes() - before, EventParser::bytes_max(long_lines));
}

TEST_F(HostileJsonTest, I2_ANumberOf300DigitsIsNoId) {
  const std::string digits(300, '9');
  EXPECT_EQ(parse(usual_, R"({"id":)" + digits + R"(,"type":"T","repo":{"name":"r"}})"),
            EventParser::Result::invalid);
  EXPECT_NE(reason_, "");
}

TEST_F(HostileJsonTest, I2_OfTwoFieldsOfANameTheFirstCounts) {
  EXPECT_EQ(parse(usual_, R"({"id":"1","id":"2","type":"T","repo":{"name":"r"}})"),
            EventParser::Result::ok);
  EXPECT_EQ(event_.id, "1");
}

}  // namespace
}  // namespace dualstream::event
