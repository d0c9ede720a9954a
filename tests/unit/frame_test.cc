#include "redis/frame.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "redis/json_text.h"

namespace dualstream::redis {
namespace {

std::vector<ChannelTemplate> templates(const std::string& text) {
  std::vector<ChannelTemplate> made;
  EXPECT_TRUE(parse_channel_templates(std::vector{text}, 64, made).ok());
  return made;
}

struct Given {
  std::string id;
  std::string type = "PushEvent";
  std::string source_id = "owner/repo";
  std::int32_t partition = 3;
  std::int64_t offset = -1;
};

class FrameTest : public ::testing::Test {
 protected:
  // A frame of these events, each of which the memory sees in turn.
  Frame frame_of(const std::vector<Given>& events, SourceMemory& memory) {
    Frame frame;
    for (const Given& given : events) {
      Source& source = memory.recall("repo", given.source_id);
      const std::int64_t before = source.advance(given.partition, given.offset, false);
      if (frame.events() == 0) frame = Frame{*source.channels[0], memory, pool_};
      pool_.make_room();
      frame.push_back(pool_.take(event::Notification{EventView{.id = given.id,
                                                               .type = given.type,
                                                               .source_type = "repo",
                                                               .source_id = given.source_id},
                                                     given.partition, given.offset},
                                 before));
    }
    return frame;
  }

  static std::string rendered(const Frame& frame) {
    MessageBuffer message;
    frame.render(message);
    return std::string{message.text()};
  }

  HeldPool pool_;
  SourceMemory per_source_{templates("events:{source_type}:{source_id}"), 100};
  SourceMemory per_type_{templates("events:{source_type}"), 100};
};

TEST_F(FrameTest, OfOneEventIsThatEvent) {
  EXPECT_EQ(rendered(frame_of({{.id = "9001", .offset = 1150}}, per_source_)),
            R"({"id":"9001","type":"PushEvent","source_id":"owner/repo","partition":3,)"
            R"("offset":1150})");
  EXPECT_EQ(rendered(frame_of({{.id = "9002", .offset = 1187}}, per_source_)),
            R"({"id":"9002","type":"PushEvent","source_id":"owner/repo","partition":3,)"
            R"("offset":1187,"prev":1150})");
}

TEST_F(FrameTest, BeginsWithTheNewestAndBringsTheEarlierOnesOldestFirst) {
  frame_of({{.id = "9000", .offset = 1150}}, per_source_);
  Frame frame = frame_of({{.id = "9001", .type = "CreateEvent", .offset = 1187},
                          {.id = "9002", .offset = 1190},
                          {.id = "9004", .offset = 1201}},
                         per_source_);
  frame.set_missed(2);
  EXPECT_EQ(rendered(frame),
            R"({"id":"9004","type":"PushEvent","source_id":"owner/repo","partition":3,)"
            R"("offset":1201,"prev":1150,)"
            R"("earlier":[{"id":"9001","type":"CreateEvent","offset":1187},)"
            R"({"id":"9002","offset":1190}],"missed":2})");
}

TEST_F(FrameTest, LosesItsOldestAndThenBeginsAfterIt) {
  Frame frame = frame_of({{.id = "1", .offset = 10}, {.id = "2", .offset = 11}}, per_source_);
  frame.drop_front();
  EXPECT_EQ(frame.events(), 1U);
  EXPECT_EQ(rendered(frame),
            R"({"id":"2","type":"PushEvent","source_id":"owner/repo","partition":3,)"
            R"("offset":11,"prev":10})");
}

TEST_F(FrameTest, LeavesOutWhatIsUnknown) {
  EXPECT_EQ(
      rendered(frame_of({{.id = "1", .partition = -1}, {.id = "2", .partition = -1}}, per_source_)),
      R"({"id":"2","type":"PushEvent","source_id":"owner/repo",)"
      R"("earlier":[{"id":"1"}]})");
}

TEST_F(FrameTest, OfSeveralSourcesSaysWhoseTheEarlierOnesAre) {
  frame_of({{.id = "0", .source_id = "a", .partition = 1, .offset = 70},
            {.id = "0", .source_id = "b", .partition = 2, .offset = 5}},
           per_type_);
  EXPECT_EQ(
      rendered(frame_of({{.id = "1", .source_id = "b", .partition = 2, .offset = 6},
                         {.id = "2", .source_id = "a", .partition = 1, .offset = 77},
                         {.id = "3", .source_id = "a", .partition = 1, .offset = 78},
                         {.id = "4", .source_id = "b", .partition = 2, .offset = 9},
                         {.id = "5", .source_id = "c", .partition = 2, .offset = 10},
                         {.id = "6", .source_id = "b", .partition = 2, .offset = 12}},
                        per_type_)),
      R"({"id":"6","type":"PushEvent","source_id":"b","partition":2,"offset":12,"prev":5,"earlier":[)"
      R"({"id":"1","offset":6},)"
      R"({"id":"2","source_id":"a","partition":1,"offset":77,"prev":70},)"
      R"({"id":"3","source_id":"a","partition":1,"offset":78,"prev":77},)"
      R"({"id":"4","offset":9},)"
      R"({"id":"5","source_id":"c","partition":2,"offset":10}]})");
}

TEST_F(FrameTest, TellsTheTwoPartitionsOfASourceApart) {
  frame_of({{.id = "0", .partition = 0, .offset = 900}}, per_source_);
  EXPECT_EQ(rendered(frame_of({{.id = "1", .partition = 0, .offset = 901},
                               {.id = "2", .partition = 5, .offset = 3}},
                              per_source_)),
            R"({"id":"2","type":"PushEvent","source_id":"owner/repo","partition":5,"offset":3,)"
            R"("earlier":[{"id":"1","source_id":"owner/repo","partition":0,)"
            R"("offset":901,"prev":900}]})");
}

TEST_F(FrameTest, GivesItsNotificationsBackAndLetsItsChannelGo) {
  SourceMemory memory{templates("events:{source_type}:{source_id}"), 1};
  {
    const Frame frame = frame_of({{.id = "1", .source_id = "a"}}, memory);
    memory.recall("repo", "b");  // There is room for one source: "a" is forgotten.
    EXPECT_EQ(memory.sources(), 1U);
    EXPECT_EQ(memory.channels(), 2U) << "the frame still needs its channel";
    EXPECT_EQ(frame.channel().name, "events:repo:a");
  }
  EXPECT_EQ(memory.channels(), 1U);
}

TEST_F(FrameTest, EstimatesItsLengthClosely) {
  std::vector<Given> events;
  std::size_t estimate = 0;
  for (int i = 0; i < 50; ++i) {
    events.push_back({.id = "248965105" + std::to_string(i), .offset = 1'000'000 + i});
  }
  const Frame frame = frame_of(events, per_source_);
  for (const Held* held = frame.front(); held != nullptr; held = held->next) {
    estimate += message_bytes(held->notification, true);
  }
  EXPECT_LT(rendered(frame).size(), estimate + 192);
  EXPECT_GT(rendered(frame).size(), estimate / 2);
}

TEST_F(FrameTest, StaysBelowItsGreatestLengthWithTheWorstTexts) {
  const Given worst{.id = std::string(kIdBytesMax, '\x01'),
                    .type = std::string(kTypeBytesMax, '\x01'),
                    .source_id = std::string(kSourceIdBytesMax, '\x01'),
                    .partition = INT32_MAX,
                    .offset = INT64_MAX - 1};
  Given next = worst;
  next.offset = INT64_MAX;
  frame_of({worst}, per_source_);
  Frame frame = frame_of({next}, per_source_);
  frame.set_missed(UINT64_MAX);
  EXPECT_LE(rendered(frame).size(), message_bytes_max());
}

std::string json_string(std::string_view text) {
  MessageBuffer out;
  out.make_room(json_string_bytes_max(text.size()));
  put_json_string(out, text);
  return std::string{out.text()};
}

TEST(JsonTextTest, EscapesWhatJsonDoesNotTake) {
  EXPECT_EQ(json_string("plain"), "\"plain\"");
  EXPECT_EQ(json_string(""), "\"\"");
  EXPECT_EQ(json_string("a\"b\\c\nd\re\tf"), R"("a\"b\\c\nd\re\tf")");
  EXPECT_EQ(json_string(std::string_view{"\0\x1f\x7f", 3}), "\"\\u0000\\u001f\x7f\"");
  EXPECT_EQ(json_string("a/b"), "\"a/b\"");
}

TEST(JsonTextTest, FindsTheOneByteToEscapeWhereverItStands) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const char bad : {'"', '\\', '\x01', '\x1f', '\0'}) {
        std::string text(size, '~');
        text[at] = bad;
        EXPECT_EQ(nlohmann::json::parse(json_string(text)).get<std::string>(), text);
      }
    }
  }
}

TEST(JsonTextTest, KeepsUtf8AndReplacesWhatIsNone) {
  EXPECT_EQ(json_string("Zürich 日本 😀"), "\"Zürich 日本 😀\"");
  EXPECT_EQ(json_string("a\xff"
                        "b"),
            R"("a\ufffdb")");
  EXPECT_EQ(json_string("\xc0\xaf"), R"("\ufffd\ufffd")") << "overlong";
  EXPECT_EQ(json_string("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")") << "a surrogate";
  EXPECT_EQ(json_string("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")") << "too high";
  EXPECT_EQ(json_string("\xe6\x97"), R"("\ufffd")") << "cut off";
  EXPECT_EQ(json_string("\xe6\x97\"x"), R"("\ufffd\"x")");
  EXPECT_EQ(json_string("\xf0\x9f\x98\xf0\x9f\x98\x80"), "\"\\ufffd\xf0\x9f\x98\x80\"");
}

TEST(JsonTextTest, MakesJsonOfAnyBytes) {
  std::mt19937_64 random{11};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::size_t size = random() % 24; size > 0; --size) {
      text += static_cast<char>(random() % 3 == 0 ? random() : 0x80 + random() % 0x80);
    }
    const auto value = nlohmann::json::parse(json_string(text), nullptr, false);
    ASSERT_TRUE(value.is_string()) << json_string(text);
  }
}

}  // namespace
}  // namespace dualstream::redis
