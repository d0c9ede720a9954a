#include "dead_letter.h"

#include <string>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace dualstream::command {
namespace {

using std::string_literals::operator""s;

Outcome failed(std::string_view payload) {
  return {.kind = OutcomeKind::failed,
          .failure = Failure::timed_out,
          .persisted = Persisted::maybe,
          .detail = "Local: Message \"timed\" out",
          .event = {.id = "17",
                    .type = "PushEvent",
                    .source_type = "repo",
                    .source_id = "owner/größe",
                    .payload = payload}};
}

TEST(DeadLetterTest, KeepsTheWholeEventAndWhyItFailed) {
  const std::string payload = "{\"id\":\"17\",\"text\":\"a\\nb \\u0000 größer\"}";
  std::string line;
  append_dead_letter(line, failed(payload), "events.ndjson", 41);
  EXPECT_EQ(line.find('\n'), line.size() - 1);

  simdjson::dom::parser parser;
  const simdjson::dom::element json = parser.parse(line);
  EXPECT_EQ(std::string_view{json["id"]}, "17");
  EXPECT_EQ(std::string_view{json["type"]}, "PushEvent");
  EXPECT_EQ(std::string_view{json["source_type"]}, "repo");
  EXPECT_EQ(std::string_view{json["source_id"]}, "owner/größe");
  EXPECT_EQ(std::string_view{json["reason"]}, "timed_out");
  EXPECT_EQ(std::string_view{json["persisted"]}, "maybe");
  EXPECT_EQ(std::string_view{json["detail"]}, "Local: Message \"timed\" out");
  EXPECT_EQ(std::string_view{json["input"]}, "events.ndjson");
  EXPECT_EQ(std::uint64_t{json["line"]}, 41U);
  EXPECT_EQ(std::string_view{json["payload"]}, payload);
}

TEST(DeadLetterTest, KeepsEveryByteOfAPayload) {
  std::string payload;
  for (int byte = 0; byte < 0x80; ++byte) payload += static_cast<char>(byte);
  std::string line;
  append_dead_letter(line, failed(payload), "-", 1);
  simdjson::dom::parser parser;
  EXPECT_EQ(std::string_view{parser.parse(line)["payload"]}, payload);
}

TEST(DeadLetterTest, WritesAPayloadThatIsNotUtf8AsBase64) {
  std::string line;
  append_dead_letter(line, failed("\xff\x00\xfe"s), "-", 1);
  simdjson::dom::parser parser;
  const simdjson::dom::element json = parser.parse(line);
  EXPECT_EQ(std::string_view{json["payload_base64"]}, "/wD+");
  EXPECT_EQ(json["payload"].error(), simdjson::NO_SUCH_FIELD);
}

TEST(DeadLetterTest, StaysValidWhateverTheFieldsHold) {
  Outcome outcome = failed("{}");
  outcome.event.source_type = "\xff\n\"";
  outcome.detail = "\xff\n";
  std::string line;
  append_dead_letter(line, outcome, "name\x1b\xfe", 1);
  simdjson::dom::parser parser;
  const simdjson::dom::element json = parser.parse(line);
  EXPECT_EQ(std::string_view{json["source_type_base64"]}, "/woi");
  EXPECT_EQ(std::string_view{json["detail"]}, "\xc3\xbf\n");
}

}  // namespace
}  // namespace dualstream::command
