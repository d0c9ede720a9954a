#include "update_text.h"

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

Update an_event() {
  Update update;
  update.id = "9\"1";
  update.type = "PushEvent";
  update.source_type = "repo";
  update.source_id = "o/r";
  update.partition = 3;
  update.offset = 1201;
  return update;
}

TEST(UpdateTextTest, WritesAnObjectForPrograms) {
  Update update = an_event();
  EXPECT_EQ(update_json(update),
            "{\"id\":\"9\\\"1\",\"type\":\"PushEvent\",\"source_type\":\"repo\",\"source_id\":"
            "\"o/r\",\"partition\":3,\"offset\":1201,\"origin\":\"live\"}\n");
  update.late = true;
  update.origin = Origin::history;
  update.timestamp_ms = 5;
  update.has_payload = true;
  update.payload = "{\"a\":1}";
  EXPECT_NE(update_json(update).find("\"origin\":\"history\",\"late\":true,\"timestamp_ms\":5,"
                                     "\"payload\":\"{\\\"a\\\":1}\"}"),
            std::string::npos);
}

TEST(UpdateTextTest, SaysWhereAGapIs) {
  Update gap;
  gap.kind = UpdateKind::gap;
  gap.reason = GapReason::retention;
  gap.partition = 1;
  gap.offset = 10;
  gap.gap_end = 20;
  EXPECT_EQ(update_json(gap),
            "{\"gap\":{\"partition\":1,\"from\":10,\"to\":20,\"reason\":\"retention\"},"
            "\"recovered\":false}\n");
  EXPECT_EQ(update_line(gap, false),
            "GAP partition 1: offsets 10 to 19 cannot be read (retention): events may be "
            "missing\n");
  gap.reason = GapReason::topic_changed;
  gap.gap_end = 0;
  EXPECT_EQ(update_line(gap, false),
            "GAP partition 1: the topic was made anew; all that it holds now follows, and offsets "
            "from 10 on of the old one may be missing\n");
}

TEST(UpdateTextTest, WritesALineForPeopleWithoutOrdersToTheirTerminal) {
  Update update = an_event();
  update.timestamp_ms = 3'723'004;
  update.has_payload = true;
  update.payload = "\x1b[2J" + std::string(300, 'x');
  const std::string line = update_line(update, false);
  EXPECT_TRUE(line.starts_with("01:02:03.004Z repo:o/r PushEvent 9\"1 3:1201 \\x1b[2Jxxx")) << line;
  EXPECT_TRUE(line.ends_with("...\n"));
  EXPECT_NE(update_line(update, true).find("\x1b[1mrepo:o/r\x1b[0m"), std::string::npos);
}

}  // namespace
}  // namespace dualstream::command
