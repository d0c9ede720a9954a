#include "redis/channel.h"

#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::redis {
namespace {

ChannelTemplate parsed(std::string_view text, std::size_t buckets = 64) {
  ChannelTemplate made;
  const Status status = ChannelTemplate::parse(text, buckets, made);
  EXPECT_TRUE(status.ok()) << status.message;
  return made;
}

TEST(ChannelTest, FillsInTheSource) {
  const ChannelTemplate per_source = parsed("events:{source_type}:{source_id}");
  EXPECT_EQ(per_source.expand("repo", "owner/repo"), "events:repo:owner/repo");
  EXPECT_EQ(per_source.expand("user", "octocat"), "events:user:octocat");
  EXPECT_TRUE(per_source.one_source_per_channel());
  EXPECT_EQ(parsed("events:{source_type}").expand("repo", "owner/repo"), "events:repo");
  EXPECT_FALSE(parsed("events:{source_type}").one_source_per_channel());
}

TEST(ChannelTest, FillsInTheBucketThatOtherLanguagesComputeToo) {
  // FNV-1a of "repo\0owner/repo" is 0xeeb32c3d0b5a520f.
  EXPECT_EQ(bucket_of("repo", "owner/repo", 1'000'000), 0xeeb32c3d0b5a520fULL % 1'000'000);
  EXPECT_EQ(parsed("b:{source_type}:b{bucket}", 64).expand("repo", "owner/repo"), "b:repo:b15");
  EXPECT_EQ(parsed("b:{source_type}:{bucket}", 1).expand("repo", "owner/repo"), "b:repo:0");
}

TEST(ChannelTest, SpreadsSourcesOverAllBuckets) {
  std::set<std::size_t> hit;
  for (int i = 0; i < 2'000; ++i) hit.insert(bucket_of("user", "user-" + std::to_string(i), 64));
  EXPECT_EQ(hit.size(), 64U);
}

TEST(ChannelTest, EncodesWhatRedisPatternsWouldTakeForSomethingElse) {
  EXPECT_EQ(encode_source_id("a%b*c?d[e]f\\g h"), "a%25b%2Ac%3Fd%5Be%5Df%5Cg%20h");
  EXPECT_EQ(encode_source_id(std::string_view{"\r\n\0\x7f\x1f", 5}), "%0D%0A%00%7F%1F");
  EXPECT_EQ(encode_source_type("a:b"), "a%3Ab");
  EXPECT_EQ(encode_source_id("a:b"), "a:b");
}

TEST(ChannelTest, LeavesUtf8AndPathsAsTheyAre) {
  EXPECT_EQ(encode_source_id("owner/repo-1.2_x~"), "owner/repo-1.2_x~");
  EXPECT_EQ(encode_source_id("Zürich/日本"), "Zürich/日本");
}

TEST(ChannelTest, ASourceCannotTakeAnotherOnesChannel) {
  const ChannelTemplate per_source = parsed("events:{source_type}:{source_id}");
  const std::vector<std::pair<std::string, std::string>> sources = {
      {"a:b", "c"},      {"a", "b:c"},         {"a%3Ab", "c"},     {"a", "b%3Ac"},
      {"a", "*"},        {"a", "%2A"},         {"a", "%252A"},     {"a", "b c"},
      {"a", "b%20c"},    {"a", "b\r\n*3\r\n"}, {"a", "b%0D%0A*3"}, {"a:", "b"},
      {"a", ":b"},       {"a::", "b"},         {"a", "::b"},       {"", "a:b"},
      {"events:a", "b"}, {"a", "events:b"},    {"a", "b\\"},       {"a", "b%5C"},
  };
  std::set<std::string> names;
  for (const auto& [type, id] : sources) {
    const std::string name = per_source.expand(type, id);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(name.find_first_of("*?[]\\ \r\n"), std::string::npos) << name;
  }
}

TEST(ChannelTest, AnyTwoSourcesHaveDifferentChannelsAndDecodingGivesThemBack) {
  std::mt19937_64 random{20'261'124};
  const std::string_view alphabet{"a:%2A3*\\ \n\0", 11};
  const auto text = [&] {
    std::string made;
    for (std::size_t size = 1 + random() % 5; size > 0; --size) {
      made += alphabet[random() % alphabet.size()];
    }
    return made;
  };
  for (const char* form : {"{source_type}:{source_id}", "{source_id}:x{source_type}",
                           "b{bucket}:{source_type}-:{source_id}"}) {
    const ChannelTemplate made = parsed(form);
    std::set<std::pair<std::string, std::string>> sources;
    std::set<std::string> names;
    for (int i = 0; i < 5'000; ++i) {
      const auto source = std::pair{text(), text()};
      sources.insert(source);
      names.insert(made.expand(source.first, source.second));
      EXPECT_EQ(decode(encode_source_type(source.first)), source.first);
      EXPECT_EQ(decode(encode_source_id(source.second)), source.second);
    }
    EXPECT_EQ(names.size(), sources.size()) << form;
  }
}

TEST(ChannelTest, DecodingIsTheInverseOverAllBytes) {
  std::mt19937_64 random{7};
  for (int i = 0; i < 2'000; ++i) {
    std::string value;
    for (std::size_t size = random() % 64; size > 0; --size) value += static_cast<char>(random());
    EXPECT_EQ(decode(encode_source_type(value)), value);
    EXPECT_EQ(decode(encode_source_id(value)), value);
  }
  EXPECT_EQ(decode("%3a"), ":");
  EXPECT_EQ(decode("100%"), std::nullopt);
  EXPECT_EQ(decode("%4"), std::nullopt);
  EXPECT_EQ(decode("%zz"), std::nullopt);
}

TEST(ChannelTest, KeepsALongSourceWhole) {
  const std::string id(32 * 1024, '*');
  EXPECT_EQ(parsed("{source_type}:{source_id}").expand("t", id).size(), 2 + 3 * id.size());
}

TEST(ChannelTest, RefusesTemplatesThatSourcesCouldForge) {
  std::string too_long = "{source_type}";
  too_long.resize(300, 'e');
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", "{source_type} is required"},
      {"events", "{source_type} is required"},
      {"events:{source_id}", "{source_type} is required"},
      {"events:{source_type}{source_id}", "a : has to stand between"},
      {"events:{source_type}-{source_id}", "a : has to stand between"},
      {"events:{source_type}:{source_type}", "twice"},
      {"events:{source_type}:{colour}", "only {source_type}"},
      {"events:{source_type", "has no }"},
      {"events:}{source_type}", "printable ASCII"},
      {"events *:{source_type}", "printable ASCII"},
      {"events\n:{source_type}", "printable ASCII"},
      {"events%:{source_type}", "printable ASCII"},
      {"ev\xc3\xa9nts:{source_type}", "printable ASCII"},
      {too_long, "longer than 256"},
  };
  for (const auto& [text, rule] : bad) {
    ChannelTemplate made;
    const Status status = ChannelTemplate::parse(text, 64, made);
    EXPECT_EQ(status.code, StatusCode::invalid_options) << text;
    EXPECT_NE(status.message.find(rule), std::string::npos) << status.message;
    EXPECT_TRUE(status.message.starts_with("redis.channels: ")) << status.message;
  }
}

TEST(ChannelTest, TakesSeveralTemplatesButNoneTwice) {
  std::vector<ChannelTemplate> made;
  const std::vector<std::string> two = {"events:{source_type}:{source_id}", "all:{source_type}"};
  EXPECT_TRUE(parse_channel_templates(two, 64, made).ok());
  EXPECT_EQ(made.size(), 2U);
  const std::vector<std::string> same = {two[0], two[0]};
  EXPECT_FALSE(parse_channel_templates(same, 64, made).ok());
  EXPECT_FALSE(parse_channel_templates({}, 64, made).ok());
  EXPECT_FALSE(parse_channel_templates(std::vector<std::string>(5, two[0]), 64, made).ok());
  EXPECT_EQ(made.size(), 2U) << "an error leaves the result alone";
}

}  // namespace
}  // namespace dualstream::redis
