#include "redis/source_memory.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::redis {
namespace {

std::vector<ChannelTemplate> templates(const std::vector<std::string>& texts) {
  std::vector<ChannelTemplate> made;
  EXPECT_TRUE(parse_channel_templates(texts, 64, made).ok());
  return made;
}

const std::vector<std::string> kPerSource = {"events:{source_type}:{source_id}"};
const std::vector<std::string> kBoth = {"events:{source_type}:{source_id}", "all:{source_type}"};

TEST(SourceTest, KnowsWhereItsEventBeforeLies) {
  Source source;
  EXPECT_EQ(source.advance(3, 100, false), -1) << "the first that is remembered";
  EXPECT_EQ(source.advance(3, 104, false), 100);
  EXPECT_EQ(source.advance(3, 109, true), -1) << "some were missed in between";
  EXPECT_EQ(source.advance(5, 2, false), -1) << "another partition";
  EXPECT_EQ(source.advance(5, 3, false), 2);
  EXPECT_EQ(source.advance(5, 1, false), -1) << "the topic was made anew";
  EXPECT_EQ(source.advance(-1, -1, false), -1) << "announced without an offset";
  EXPECT_EQ(source.advance(5, 4, false), 1);
}

TEST(SourceMemoryTest, RemembersASourceAndItsChannels) {
  SourceMemory memory{templates(kBoth), 10};
  Source& a = memory.recall("repo", "a");
  a.advance(1, 7, false);
  Source& b = memory.recall("repo", "b");
  EXPECT_EQ(&memory.recall("repo", "a"), &a);
  EXPECT_EQ(a.channels[0]->name, "events:repo:a");
  EXPECT_EQ(a.channels[1]->name, "all:repo");
  EXPECT_NE(a.channels[0], b.channels[0]);
  EXPECT_EQ(a.channels[1], b.channels[1]);
  EXPECT_EQ(memory.recall("repo", "a").advance(1, 8, false), 7);
}

TEST(SourceMemoryTest, TellsSourcesApartThatReadTheSame) {
  SourceMemory memory{templates(kPerSource), 10};
  Source& one = memory.recall("ab", "c");
  Source& other = memory.recall("a", "bc");
  EXPECT_NE(&one, &other);
}

TEST(SourceMemoryTest, ForgetsTheOneThatWasNotAskedFor) {
  SourceMemory memory{templates(kPerSource), 4};
  for (const char* id : {"a", "b", "c", "d"}) memory.recall("repo", id).advance(0, 1, false);
  memory.recall("repo", "e").advance(0, 1, false);  // The hand passes all of them once.
  for (const char* id : {"c", "d"}) memory.recall("repo", id);
  memory.recall("repo", "f");
  EXPECT_EQ(memory.sources(), 4U);
  EXPECT_EQ(memory.recall("repo", "c").advance(0, 2, false), 1);
  EXPECT_EQ(memory.recall("repo", "d").advance(0, 2, false), 1);
}

TEST(SourceMemoryTest, ForgetsAnotherRatherThanOneThatHasSomethingToTell) {
  SourceMemory memory{templates(kPerSource), 8};
  memory.recall("repo", "owed").channels[0]->missed = 3;
  for (int i = 0; i < 100; ++i) memory.recall("repo", std::to_string(i));
  EXPECT_EQ(memory.recall("repo", "owed").channels[0]->missed, 3U);
}

TEST(SourceMemoryTest, ForgetsEvenThoseWhenThereAreNoOthers) {
  SourceMemory memory{templates(kPerSource), 8};
  for (int i = 0; i < 1'000; ++i) memory.recall("repo", std::to_string(i)).channels[0]->missed = 1;
  EXPECT_EQ(memory.sources(), 8U);
  EXPECT_EQ(memory.channels(), 8U);
}

TEST(SourceMemoryTest, AReferenceToAForgottenChannelIsEmpty) {
  SourceMemory memory{templates(kPerSource), 1};
  const ChannelRef a = ChannelRef::to(*memory.recall("repo", "a").channels[0]);
  EXPECT_NE(a.get(), nullptr);
  const ChannelRef b = ChannelRef::to(*memory.recall("repo", "b").channels[0]);
  EXPECT_EQ(a.get(), nullptr);
  EXPECT_EQ(b.get()->name, "events:repo:b");
  EXPECT_EQ(ChannelRef{}.get(), nullptr);
}

TEST(SourceMemoryTest, ASharedChannelLivesAsLongAsOneOfItsSources) {
  SourceMemory memory{templates(kBoth), 2};
  memory.recall("repo", "a").channels[1]->missed = 5;
  for (int i = 0; i < 20; ++i) memory.recall("repo", std::to_string(i));
  EXPECT_EQ(memory.recall("repo", "z").channels[1]->missed, 5U);
}

TEST(SourceMemoryTest, StaysWithinItsBytesHoweverLongTheTextsAre) {
  constexpr std::size_t kSources = 256;
  SourceMemory memory{templates(kBoth), kSources};
  const std::size_t bytes_max = SourceMemory::bytes_max(kSources, 2);
  constexpr std::size_t kOneMore = 4 * (32 * 1024 + 512);
  std::mt19937_64 random{5};
  for (int i = 0; i < 3'000; ++i) {
    memory.recall("repo", std::string(random() % 32'768, '*') + std::to_string(i));
    ASSERT_LE(memory.bytes(), bytes_max + kOneMore);
  }
  for (int i = 0; i < 3'000; ++i) memory.recall("repo", std::to_string(i));
  EXPECT_LE(memory.bytes(), bytes_max);
  EXPECT_EQ(memory.sources(), kSources) << "usual texts fill the places, not the bytes";
}

}  // namespace
}  // namespace dualstream::redis
