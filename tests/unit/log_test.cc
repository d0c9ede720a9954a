#include "base/log.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::base {
namespace {

TEST(LogTest, GivesTheSinkLevelAndLine) {
  std::vector<std::pair<LogLevel, std::string>> lines;
  Log log{[&](LogLevel level, std::string_view line) { lines.emplace_back(level, line); }};
  log.write(LogLevel::warning, "kafka: gone");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].first, LogLevel::warning);
  EXPECT_EQ(lines[0].second, "kafka: gone");
}

TEST(LogTest, EscapesControlBytesSoThatNoTextCanForgeALine) {
  std::string got;
  Log log{[&](LogLevel, std::string_view line) { got = line; }};
  log.write(LogLevel::info, std::string_view{"a\nb\x1b[31m\0c\x7f", 11});
  EXPECT_EQ(got, "a\\x0ab\\x1b[31m\\x00c\\x7f");
}

TEST(LogTest, LeavesUtf8AsItIs) {
  std::string got;
  Log log{[&](LogLevel, std::string_view line) { got = line; }};
  log.write(LogLevel::info, "Grüße 문제");
  EXPECT_EQ(got, "Grüße 문제");
}

TEST(LogTest, GoesOnWhenTheSinkThrows) {
  int calls = 0;
  Log log{[&](LogLevel, std::string_view) {
    ++calls;
    throw std::runtime_error{"the host's own"};
  }};
  log.write(LogLevel::error, "one");
  log.write(LogLevel::error, "two");
  EXPECT_EQ(calls, 2);
}

TEST(LogTest, WritesOnlyWarningsAndErrorsToStderrByItself) {
  Log log{{}};
  ::testing::internal::CaptureStderr();
  log.write(LogLevel::info, "quiet");
  log.write(LogLevel::warning, "heard");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "dualstream: warning: heard\n");
}

}  // namespace
}  // namespace dualstream::base
