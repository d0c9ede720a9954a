#include "redis/frame_reader.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "redis/frame.h"

namespace dualstream::redis {
namespace {

std::string text(const std::vector<Told>& told) {
  std::string all;
  for (const Told& each : told) {
    if (!all.empty()) all += ' ';
    all += each.id + "/" + each.type + "/" + each.source_id + "@" + std::to_string(each.partition) +
           ":" + std::to_string(each.offset) + "<" + std::to_string(each.previous);
  }
  return all;
}

std::string read(std::string_view message) {
  FrameReader reader;
  std::vector<Told> told;
  std::uint64_t missed = 0;
  std::string reason;
  if (!reader.read(message, told, missed, reason)) return "refused: " + reason;
  return text(told) + (missed > 0 ? " missed " + std::to_string(missed) : "");
}

TEST(FrameReaderTest, ReadsAFrameAndChainsItsEvents) {
  EXPECT_EQ(read(R"({"id":"9","type":"PushEvent","source_id":"o/r","partition":3,"offset":1201,)"
                 R"("prev":1150,"earlier":[{"id":"7","type":"CreateEvent","offset":1187},)"
                 R"({"id":"8","type":"ForkEvent","source_id":"x/y","partition":1,"offset":77,)"
                 R"("prev":70}]})"),
            "7/CreateEvent/o/r@3:1187<1150 8/ForkEvent/x/y@1:77<70 9/PushEvent/o/r@3:1201<1187");
  EXPECT_EQ(read(R"({"id":"1","type":"t","source_id":"s","partition":0,"offset":5})"),
            "1/t/s@0:5<-1");
}

TEST(FrameReaderTest, TakesWhatAnItemDoesNotSayFromTheNewest) {
  EXPECT_EQ(read(R"({"id":"9","type":"PushEvent","source_id":"o/r","partition":3,"offset":12,)"
                 R"("earlier":[{"id":"7","offset":10},{"id":"8","type":"","offset":11}]})"),
            "7/PushEvent/o/r@3:10<-1 8//o/r@3:11<10 9/PushEvent/o/r@3:12<11");
}

TEST(FrameReaderTest, WithSomeMissedOnlyTheFirstPredecessorIsCertain) {
  EXPECT_EQ(read(R"({"id":"3","type":"t","source_id":"s","partition":0,"offset":30,"prev":5,)"
                 R"("earlier":[{"id":"1","type":"t","offset":10}],"missed":1})"),
            "1/t/s@0:10<5 3/t/s@0:30<-1 missed 1");
}

TEST(FrameReaderTest, IgnoresWhatItDoesNotKnowAndTakesAFrameWithoutAPlace) {
  EXPECT_EQ(read(R"({"v":[1,{"a":null}],"id":"1","type":"t","source_id":"s","new":true})"),
            "1/t/s@-1:-1<-1");
}

TEST(FrameReaderTest, RefusesWhatIsNoNotification) {
  for (const char* message : {"", "hello", "[]", "{}", R"({"id":1,"type":"t","source_id":"s"})",
                              R"({"id":"1","type":"t","source_id":"s","offset":-5})",
                              R"({"id":"1","type":"t","source_id":"s","partition":4294967296})",
                              R"({"id":"1","type":"t","source_id":"s","offset":1e3})",
                              R"({"id":"1","type":"t","source_id":"s","earlier":[7]})",
                              R"({"id":"1","type":"t","source_id":"s"} {)"}) {
    EXPECT_TRUE(read(message).starts_with("refused: ")) << message;
  }
}

// Whatever a Frame writes is read back, with the predecessors that it was given.
TEST(FrameReaderTest, ReadsBackWhatAFrameWrites) {
  std::mt19937_64 random{11};
  for (int round = 0; round < 500; ++round) {
    ChannelTemplate of_all;
    ASSERT_TRUE(ChannelTemplate::parse("all:{source_type}", 1, of_all).ok());
    SourceMemory memory{{of_all}, 64};
    HeldPool pool;
    Channel& channel = *memory.recall("repo", "any").channels[0];
    std::string expected;
    MessageBuffer message;
    {
      Frame frame{channel, memory, pool};
      const std::size_t count = 1 + random() % 6;
      for (std::size_t i = 0; i < count; ++i) {
        const std::string id = "\"\\\n" + std::to_string(random() % 1000);
        const std::string type = std::string{"t"}.append(std::to_string(random() % 2));
        const std::string source = std::string{"s"}.append(std::to_string(random() % 3));
        const auto partition = static_cast<std::int32_t>(source[1] - '0');
        const auto offset = std::int64_t{100} * round + 10 * static_cast<std::int64_t>(i);
        pool.make_room();
        Source& known = memory.recall("repo", source);
        const std::int64_t previous = known.advance(partition, offset, false);
        frame.push_back(pool.take(
            event::Notification{
                {.id = id, .type = type, .source_type = "repo", .source_id = source},
                partition,
                offset},
            previous));
        if (!expected.empty()) expected += ' ';
        expected.append(id).append("/").append(type).append("/").append(source);
        expected.append("@").append(std::to_string(partition));
        expected.append(":").append(std::to_string(offset));
        expected.append("<").append(std::to_string(previous));
      }
      frame.render(message);
    }
    EXPECT_EQ(read(message.text()), expected);
  }
}

}  // namespace
}  // namespace dualstream::redis
