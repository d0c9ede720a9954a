#include "subscriber/selection.h"

#include <gtest/gtest.h>

namespace dualstream::subscriber {
namespace {

std::vector<redis::ChannelTemplate> templates(std::vector<std::string> texts) {
  std::vector<redis::ChannelTemplate> made;
  EXPECT_TRUE(redis::parse_channel_templates(texts, 16, made).ok());
  return made;
}

TEST(SelectionTest, MatchesPatternsAsRedisDoes) {
  // By the rules of PSUBSCRIBE.
  EXPECT_TRUE(matches_pattern("events:*", "events:repo:a/b"));
  EXPECT_TRUE(matches_pattern("*:a/b", "events:repo:a/b"));
  EXPECT_TRUE(matches_pattern("e*s:r*o:?/b", "events:repo:a/b"));
  EXPECT_FALSE(matches_pattern("events:?", "events:"));
  EXPECT_TRUE(matches_pattern("h[ae]llo", "hello"));
  EXPECT_FALSE(matches_pattern("h[^e]llo", "hello"));
  EXPECT_TRUE(matches_pattern("h[a-b]llo", "hallo"));
  EXPECT_TRUE(matches_pattern("h\\*llo", "h*llo"));
  EXPECT_FALSE(matches_pattern("h\\*llo", "hello"));
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_FALSE(matches_pattern("", "a"));
  EXPECT_TRUE(matches_pattern("a*b*c*d", "a__b_c_bc__d"));
}

TEST(SelectionTest, ANamedSourceIsHeardOnItsOwnChannelWhereThereIsOne) {
  Selection own;
  const auto both = templates({"all:{source_type}", "events:{source_type}:{source_id}"});
  ASSERT_TRUE(Selection::make({.sources = {{"repo", "a/b"}}}, both, own).ok());
  ASSERT_EQ(own.topics().size(), 1U);
  EXPECT_EQ(own.topics()[0].name, "events:repo:a/b");
  EXPECT_FALSE(own.is_aggregate(own.topics()[0]));
  EXPECT_TRUE(own.named_only());
  EXPECT_TRUE(own.selects("repo", "a/b"));
  EXPECT_FALSE(own.selects("user", "a/b"));

  Selection shared;
  ASSERT_TRUE(
      Selection::make({.sources = {{"repo", "a/b"}}}, templates({"all:{source_type}"}), shared)
          .ok());
  EXPECT_EQ(shared.topics()[0].name, "all:repo");
  EXPECT_TRUE(shared.is_aggregate(shared.topics()[0]));
  EXPECT_FALSE(shared.selects("repo", "c/d")) << "it is dropped, though the channel brings it";
}

TEST(SelectionTest, ChannelsAndPatternsSelectBySource) {
  Selection made;
  const auto all = templates({"events:{source_type}:{source_id}", "b:{source_type}:{bucket}"});
  const std::string bucket = all[1].expand("repo", "a/b");
  ASSERT_TRUE(
      Selection::make({.channels = {bucket}, .patterns = {"events:user:*"}}, all, made).ok());
  EXPECT_FALSE(made.named_only());
  EXPECT_TRUE(made.selects("repo", "a/b"));
  EXPECT_TRUE(made.selects("user", "anybody"));
  EXPECT_FALSE(made.selects("org", "a/b"));
}

TEST(SelectionTest, RefusesAChannelThatNoTemplateMakes) {
  Selection made;
  const Status status = Selection::make({.channels = {"news"}},
                                        templates({"events:{source_type}:{source_id}"}), made);
  EXPECT_EQ(status.code, StatusCode::invalid_options);
  EXPECT_NE(status.message.find("news"), std::string::npos);
}

TEST(SelectionTest, TemplatesFindTheSourceTypeOfAChannelAgain) {
  const auto all = templates({"events:{source_type}:{source_id}", "b:{source_type}:{bucket}",
                              "{source_type}:of", "x{source_type}x:{source_id}:end"});
  EXPECT_EQ(redis::source_type_of("events:repo:a:b/c", all), "repo");
  EXPECT_EQ(redis::source_type_of("b:re%3Apo:7", all), "re:po");
  EXPECT_EQ(redis::source_type_of("b:repo:seven", all), std::nullopt);
  EXPECT_EQ(redis::source_type_of("repo:of", all), "repo");
  EXPECT_EQ(redis::source_type_of("xaxbx:1:2:end", all), "axb");
  EXPECT_EQ(redis::source_type_of("events:repo", all), std::nullopt);
  EXPECT_EQ(redis::source_type_of("events:repo:", all), std::nullopt);
}

}  // namespace
}  // namespace dualstream::subscriber
