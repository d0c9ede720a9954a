#include "load/payloads.h"

#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "command/temporary_folder.h"

namespace dualstream::command {
namespace {

using nlohmann::json;
using testing::TemporaryFolder;

constexpr PayloadMark kMark{.run = 0x1234abcd, .source = 17, .index = 99};

std::string written(const Payloads& payloads, std::size_t which, const PayloadMark& mark = kMark) {
  std::string text(payloads.bytes_max(), '\0');
  text.resize(payloads.write(which, mark, text.data()));
  return text;
}

TEST(PayloadsTest, AreJsonOfExactlyTheSizeAskedFor) {
  for (const std::size_t size :
       {kPayloadBytesMin, std::size_t{65}, std::size_t{256}, std::size_t{5'000'000}}) {
    const Payloads payloads = Payloads::of_size(size, 1);
    for (std::size_t which = 0; which < payloads.size(); ++which) {
      const std::string text = written(payloads, which);
      EXPECT_EQ(text.size(), size);
      EXPECT_TRUE(json::accept(text));
    }
  }
}

TEST(PayloadsTest, DifferFromEachOtherAndFollowTheSeed) {
  const Payloads payloads = Payloads::of_size(256, 1);
  std::set<std::string> texts;
  for (std::size_t which = 0; which < payloads.size(); ++which) {
    texts.insert(written(payloads, which));
  }
  EXPECT_EQ(texts.size(), payloads.size());
  EXPECT_EQ(written(Payloads::of_size(256, 1), 0), written(payloads, 0));
  EXPECT_NE(written(Payloads::of_size(256, 2), 0), written(payloads, 0));
}

TEST(PayloadsTest, AreRecognised) {
  const std::string text = written(Payloads::of_size(256, 1), 3);
  const auto mark = Payloads::recognise(text);
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->run, kMark.run);
  EXPECT_EQ(mark->source, kMark.source);
  EXPECT_EQ(mark->index, kMark.index);
  EXPECT_TRUE(Payloads::claims(text, kMark.run));
  EXPECT_FALSE(Payloads::claims(text, kMark.run + 1));
}

TEST(PayloadsTest, AreNotRecognisedWithAnyByteChangedOrMissing) {
  const std::string text = written(Payloads::of_size(96, 1), 0);
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(Payloads::recognise(changed)) << at;
    EXPECT_FALSE(Payloads::recognise(text.substr(0, at))) << at;
  }
  EXPECT_FALSE(Payloads::recognise(text + " "));
}

TEST(PayloadsTest, AreTheLinesOfAFileWithOneMemberMore) {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("lines", "{\"a\": [1, 2], \"load\": \"theirs\"}\r\n\n  { }\n{\"b\":\"größer\"}");
  Payloads payloads;
  const Status status = Payloads::of_file(file, payloads);
  ASSERT_TRUE(status.ok()) << status.message;
  ASSERT_EQ(payloads.size(), 3U);
  for (std::size_t which = 0; which < 3; ++which) {
    const std::string text = written(payloads, which);
    EXPECT_TRUE(json::accept(text)) << text;
    EXPECT_TRUE(Payloads::recognise(text)) << text;
  }
  EXPECT_EQ(json::parse(written(payloads, 0))["a"], (json{1, 2}));
  EXPECT_EQ(json::parse(written(payloads, 2))["b"], "größer");
}

TEST(PayloadsTest, NameTheLineThatIsNone) {
  const TemporaryFolder folder;
  const auto error_of = [](const std::string& file) {
    Payloads payloads;
    return Payloads::of_file(file, payloads).message;
  };
  const std::string bad = folder.write("bad", "{}\n[1]\n");
  EXPECT_EQ(error_of(bad), bad + ":2: not a JSON object");
  const std::string cut = folder.write("cut", "{\"a\":1");
  EXPECT_EQ(error_of(cut), cut + ":1: not a JSON object");
  const std::string empty = folder.write("empty", "\n \n");
  EXPECT_EQ(error_of(empty), empty + " has no line in it");
  EXPECT_NE(error_of(folder.path("missing")).find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace dualstream::command
