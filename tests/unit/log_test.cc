#include "base/log.h"

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::base {
namespace {

using std::chrono::seconds;

// A line that outlives the callback.
struct KeptLine {
  LogLevel level;
  LogKind kind;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;
  std::uint64_t suppressed;
};

class LogTest : public ::testing::Test {
 protected:
  LogTest() { now_ = {}; }

  std::vector<KeptLine> lines_;
  static inline TimePoint now_;
  Log log_{[this](const LogLine& line) {
             KeptLine& kept = lines_.emplace_back(
                 KeptLine{line.level, line.kind, std::string{line.message}, {}, line.suppressed});
             for (const LogField& field : line.fields) {
               kept.fields.emplace_back(field.name, field.value);
             }
           },
           [] { return now_; }};
};

TEST_F(LogTest, GivesTheSinkKindLevelSentenceAndParts) {
  log_.write(LogKind::redis_lost, LogLevel::warning, "redis: here:1: gone (why)",
             {{"address", "here:1"}, {"reason", "why"}});
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(lines_[0].kind, LogKind::redis_lost);
  EXPECT_EQ(lines_[0].level, LogLevel::warning);
  EXPECT_EQ(lines_[0].message, "redis: here:1: gone (why)");
  const std::vector<std::pair<std::string, std::string>> parts{{"address", "here:1"},
                                                               {"reason", "why"}};
  EXPECT_EQ(lines_[0].fields, parts);
  EXPECT_EQ(lines_[0].suppressed, 0U);
}

TEST_F(LogTest, EscapesControlBytesSoThatNoTextCanForgeALine) {
  const std::string_view forged{"a\nb\x1b[31m\0c\x7f", 11};
  log_.write(LogKind::kafka_error, LogLevel::info, forged, {{"reason", forged}});
  EXPECT_EQ(lines_.at(0).message, "a\\x0ab\\x1b[31m\\x00c\\x7f");
  EXPECT_EQ(lines_.at(0).fields.at(0).second, "a\\x0ab\\x1b[31m\\x00c\\x7f");
}

TEST_F(LogTest, LeavesUtf8AsItIs) {
  log_.write(LogKind::kafka_error, LogLevel::info, "Grüße 문제");
  EXPECT_EQ(lines_.at(0).message, "Grüße 문제");
}

TEST_F(LogTest, LeavesOutWhatIsTooMuchOfAKindAndSaysHowMany) {
  for (int i = 0; i < 25; ++i) log_.write(LogKind::redis_lost, LogLevel::warning, "lost");
  EXPECT_EQ(lines_.size(), 10U);
  log_.write(LogKind::redis_connected, LogLevel::info, "another kind is not held back");
  EXPECT_EQ(lines_.size(), 11U);
  now_ += seconds{10};
  log_.write(LogKind::redis_lost, LogLevel::warning, "lost");
  ASSERT_EQ(lines_.size(), 12U);
  EXPECT_EQ(lines_.back().suppressed, 15U);
  log_.write(LogKind::redis_lost, LogLevel::warning, "lost");
  EXPECT_EQ(lines_.back().suppressed, 0U) << "it is told once";
}

TEST_F(LogTest, AWindowBeginsWithItsFirstLine) {
  now_ += seconds{1'000};
  for (int i = 0; i < 10; ++i) log_.write(LogKind::redis_lost, LogLevel::warning, "lost");
  now_ += seconds{9};
  log_.write(LogKind::redis_lost, LogLevel::warning, "lost");
  EXPECT_EQ(lines_.size(), 10U);
  now_ += seconds{1};
  log_.write(LogKind::redis_lost, LogLevel::warning, "lost");
  EXPECT_EQ(lines_.size(), 11U);
}

TEST_F(LogTest, TellsAtTheEndWhatWasLeftOut) {
  log_.tell_suppressed();
  EXPECT_TRUE(lines_.empty());
  for (int i = 0; i < 12; ++i) log_.write(LogKind::redis_lost, LogLevel::warning, "lost");
  log_.tell_suppressed();
  ASSERT_EQ(lines_.size(), 11U);
  EXPECT_EQ(lines_.back().kind, LogKind::redis_lost);
  EXPECT_EQ(lines_.back().level, LogLevel::warning);
  EXPECT_EQ(lines_.back().suppressed, 2U);
  log_.tell_suppressed();
  EXPECT_EQ(lines_.size(), 11U);
}

TEST(LogSinkTest, MayThrow) {
  int calls = 0;
  Log log{[&](const LogLine&) {
    ++calls;
    throw std::runtime_error{"the host's own"};
  }};
  log.write(LogKind::kafka_error, LogLevel::error, "one");
  log.write(LogKind::kafka_error, LogLevel::error, "two");
  EXPECT_EQ(calls, 2);
}

TEST(LogSinkTest, WithoutOneOnlyWarningsAndErrorsGoToStderr) {
  Log log{{}};
  ::testing::internal::CaptureStderr();
  log.write(LogKind::kafka_error, LogLevel::info, "quiet");
  log.write(LogKind::kafka_error, LogLevel::warning, "heard");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "dualstream: warning: heard\n");
}

TEST(LogLineTest, AsATextSaysWhatWasLeftOut) {
  EXPECT_EQ(text_of({.message = "gone"}), "gone");
  EXPECT_EQ(text_of({.message = "gone", .suppressed = 3}),
            "gone (3 more lines of this kind were left out)");
}

TEST(LogKindTest, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t kind = 0; kind < kLogKindCount; ++kind) {
    names.insert(name(static_cast<LogKind>(kind)));
  }
  EXPECT_EQ(names.size(), kLogKindCount);
  EXPECT_EQ(names.count("unknown"), 0U);
}

}  // namespace
}  // namespace dualstream::base
