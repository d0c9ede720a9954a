#include "dead_letter_reader.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "dead_letter.h"
#include "text.h"

namespace dualstream::command {
namespace {

std::string letter_of(const EventView& event) {
  std::string line;
  append_dead_letter(line,
                     {.kind = OutcomeKind::failed,
                      .failure = Failure::rejected,
                      .persisted = Persisted::maybe,
                      .detail = "Broker: \"no\"",
                      .event = event},
                     "a.ndjson", 7);
  line.pop_back();
  return line;
}

void expect_the_same(const EventView& read, const EventView& written) {
  EXPECT_EQ(read.id, written.id);
  EXPECT_EQ(read.type, written.type);
  EXPECT_EQ(read.source_type, written.source_type);
  EXPECT_EQ(read.source_id, written.source_id);
  EXPECT_EQ(read.payload, written.payload);
}

TEST(DeadLetterReaderTest, GivesTheEventBackAsItWas) {
  DeadLetterReader reader;
  const EventView written{.id = "17",
                          .type = "PushEvent",
                          .source_type = "repo",
                          .source_id = "owner/größe",
                          .payload = "{\"id\":\"17\",\"text\":\"a\\nb \\u0000 größer\"}\r"};
  EventView read;
  EXPECT_EQ(reader.read(letter_of(written), read), std::nullopt);
  expect_the_same(read, written);
}

// Not JSON, not UTF-8, with NUL and every other byte, and nothing at all.
TEST(DeadLetterReaderTest, GivesAnyBytesBack) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  DeadLetterReader reader;
  const auto bytes = [&random](std::size_t size_max, bool any) {
    std::string text(random() % (size_max + 1), '\0');
    for (char& c : text) c = static_cast<char>(any ? random() % 256 : random() % 128);
    return text;
  };
  for (int round = 0; round < 2'000; ++round) {
    const bool any = round % 2 == 0;
    const std::string id = bytes(20, any);
    const std::string type = bytes(20, any);
    const std::string source_type = bytes(20, any);
    const std::string source_id = bytes(20, any);
    const std::string payload = bytes(300, any);
    const EventView written{.id = id,
                            .type = type,
                            .source_type = source_type,
                            .source_id = source_id,
                            .payload = payload};
    const std::string line = letter_of(written);
    ASSERT_EQ(line.find('\n'), std::string::npos);
    ASSERT_LE(line.size(), DeadLetterReader::line_bytes_max(source_id.size() + payload.size()));
    EventView read;
    ASSERT_EQ(reader.read(line, read), std::nullopt);
    expect_the_same(read, written);
  }
}

TEST(DeadLetterReaderTest, SaysWhatIsWrong) {
  DeadLetterReader reader;
  EventView read;
  const auto wrong = [&](std::string_view line) { return reader.read(line, read).value_or("ok"); };
  EXPECT_EQ(wrong("[]"), "not a dead letter: not a JSON object");
  EXPECT_TRUE(wrong(R"({"id":"1")").starts_with("not a dead letter: ")) << wrong(R"({"id":"1")");
  EXPECT_EQ(wrong(R"({"type":"T"})"), "not a dead letter: id is missing");
  EXPECT_EQ(wrong(R"({"id":17})"), "not a dead letter: id is not a string");
  const std::string fields = R"("id":"1","type":"T","source_type":"repo","source_id":"a/b")";
  EXPECT_EQ(wrong("{" + fields + "}"), "not a dead letter: payload is missing");
  EXPECT_EQ(wrong("{" + fields + R"(,"payload_base64":"a*=="})"),
            "not a dead letter: payload_base64 is not base64");
  EXPECT_EQ(wrong("{" + fields + R"(,"payload_base64":17})"),
            "not a dead letter: payload_base64 is not base64");
  EXPECT_EQ(wrong("{" + fields + R"(,"payload":"{}"})"), "ok");
}

TEST(Base64Test, IsUndoneExactly) {
  for (const std::string text : {"", "f", "fo", "foo", "foob", "\xff\xfe"}) {
    std::string bytes;
    EXPECT_TRUE(from_base64(base64(text), bytes));
    EXPECT_EQ(bytes, text);
  }
  std::string bytes;
  for (const std::string_view wrong : {"Z", "Zg", "Zg=", "Zh==", "Zg==x", "Z g=", "Zm9v="}) {
    EXPECT_FALSE(from_base64(wrong, bytes)) << wrong;
  }
}

}  // namespace
}  // namespace dualstream::command
