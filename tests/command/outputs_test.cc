// What is written while a run goes on: bad lines, dead letters, and what happens when a disk is
// full.
#include <gtest/gtest.h>

#include "bad_lines.h"
#include "command/temporary_folder.h"
#include "console.h"
#include "outcomes.h"
#include "output_file.h"

namespace dualstream::command {
namespace {

using testing::TemporaryFolder;

class OutputsTest : public ::testing::Test {
 protected:
  OutputsTest() { EXPECT_TRUE(StopRequest::make(std::chrono::seconds{1}, stop_).ok()); }

  std::unique_ptr<OutputFile> open(const std::string& name) {
    std::unique_ptr<OutputFile> file;
    const Status status = OutputFile::open(
        name, [this](const std::string& message) { failures_.push_back(message); }, file);
    EXPECT_TRUE(status.ok()) << status.message;
    return file;
  }

  static Outcome failed(std::uint64_t line) {
    return {
        .kind = OutcomeKind::failed,
        .failure = Failure::timed_out,
        .tag = tag_of({.input = 1, .line = line}),
        .event = {
            .id = "1", .type = "T", .source_type = "repo", .source_id = "a/b", .payload = "{}"}};
  }

  TemporaryFolder folder_;
  std::vector<std::string> failures_;
  Console console_{{.log_level = LogLevel::error}};
  std::unique_ptr<StopRequest> stop_;
  const std::vector<std::string> inputs_{"-", "b.ndjson"};
};

TEST_F(OutputsTest, AppendsToWhatAFileHolds) {
  const std::string name = folder_.write("out", "before\n");
  EXPECT_TRUE(open(name)->write("one\n"));
  EXPECT_TRUE(open(name)->write("two\n"));
  EXPECT_EQ(folder_.read("out"), "before\none\ntwo\n");
}

TEST_F(OutputsTest, EndsALastLineThatWasCutShort) {
  const std::string name = folder_.write("out", "whole\ncut sho");
  EXPECT_TRUE(open(name)->write("one\n"));
  EXPECT_EQ(folder_.read("out"), "whole\ncut sho\none\n");
}

TEST_F(OutputsTest, SaysWhyAFileCannotBeWritten) {
  std::unique_ptr<OutputFile> file;
  const Status status = OutputFile::open(
      "no/such/out", [](const std::string&) {}, file);
  EXPECT_EQ(status.message, "cannot write to no/such/out: No such file or directory");
}

TEST_F(OutputsTest, TellsOfAFullDiskOnceAndWritesNoMore) {
  const std::unique_ptr<OutputFile> full = open("/dev/full");
  EXPECT_FALSE(full->write("one\n"));
  EXPECT_FALSE(full->write("two\n"));
  EXPECT_TRUE(full->failed());
  EXPECT_EQ(failures_,
            std::vector<std::string>{"cannot write to /dev/full: No space left on device"});
}

TEST_F(OutputsTest, KeepsBadLinesByteForByteAndCountsTheirReasons) {
  const std::unique_ptr<OutputFile> file = open(folder_.path("bad"));
  BadLines bad_lines{inputs_, {.file = file.get()}, console_, *stop_};
  bad_lines.add({.input = 0, .line = 3}, "not valid JSON", "{\xff \r");
  bad_lines.add({.input = 1, .line = 9}, "/id is missing", "{}");
  EXPECT_EQ(folder_.read("bad"), "{\xff \r\n{}\n");
  EXPECT_EQ(bad_lines.count(), 2U);
  EXPECT_EQ(reasons_text(bad_lines.by_reason()), "not valid JSON 1, /id is missing 1");
  EXPECT_FALSE(stop_->requested());
}

TEST_F(OutputsTest, PutsThePiecesOfALongLineTogether) {
  const std::unique_ptr<OutputFile> file = open(folder_.path("bad"));
  BadLines bad_lines{inputs_, {.file = file.get()}, console_, *stop_};
  std::optional<OutputFile::Hold> keeper;
  Line line{.kind = LineKind::too_long, .number = 2, .text = "abc", .raw = "abc", .last = false};
  bad_lines.add_piece({.input = 0, .line = 2}, "too long", line, keeper);
  EXPECT_EQ(bad_lines.count(), 0U);
  line.raw = "def";
  line.last = true;
  bad_lines.add_piece({.input = 0, .line = 2}, "too long", line, keeper);
  EXPECT_FALSE(keeper.has_value());
  EXPECT_EQ(bad_lines.count(), 1U);
  EXPECT_EQ(folder_.read("bad"), "abcdef\n");
}

TEST_F(OutputsTest, StopsTheRunAtTheBadLineAfterTheLastAllowed) {
  BadLines bad_lines{inputs_, {.bad_max = 1}, console_, *stop_};
  bad_lines.add({.input = 0, .line = 1}, "bad", "x");
  EXPECT_FALSE(stop_->requested());
  bad_lines.add({.input = 0, .line = 2}, "bad", "x");
  EXPECT_EQ(stop_->reason(), StopReason::too_many_bad);
}

TEST_F(OutputsTest, PrintsTheFirstBadLinesAndCountsTheOthers) {
  BadLines bad_lines{inputs_, {}, console_, *stop_};
  ::testing::internal::CaptureStderr();
  for (std::uint64_t line = 1; line <= 25; ++line) {
    bad_lines.add({.input = 1, .line = line}, "bad \x1b", "x");
  }
  bad_lines.summarize();
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.starts_with("b.ndjson:1: bad \\x1b\nb.ndjson:2: ")) << text;
  EXPECT_NE(text.find("b.ndjson:20: "), std::string::npos) << text;
  EXPECT_EQ(text.find("b.ndjson:21: "), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\n25 bad lines: bad \\x1b 25\n")) << text;
}

TEST_F(OutputsTest, BoundsTheReasonsThatItCounts) {
  LimitedReport report{console_, "things"};
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 100; ++i) report.add("text", "reason " + std::to_string(i));
  ::testing::internal::GetCapturedStderr();
  const ReasonCounts reasons = report.by_reason();
  EXPECT_EQ(reasons.size(), LimitedReport::kReasonsMax);
  EXPECT_EQ(reasons.front(), (std::pair<std::string, std::uint64_t>{"other", 69}));
}

TEST_F(OutputsTest, SavesFailedEventsAndOnlyThose) {
  const std::unique_ptr<OutputFile> file = open(folder_.path("dead"));
  Outcomes outcomes{inputs_, file.get(), console_, *stop_};
  const std::vector<Outcome> batch{{.kind = OutcomeKind::delivered}, failed(7), failed(8)};
  outcomes.take(batch);
  EXPECT_TRUE(outcomes.wait_for(3));
  EXPECT_EQ(outcomes.unsaved(), 0U);
  EXPECT_EQ(reasons_text(outcomes.failures()), "timed_out 2");
  const std::string text = folder_.read("dead");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_NE(text.find(R"("input":"b.ndjson","line":7,)"), std::string::npos) << text;
}

TEST_F(OutputsTest, CountsFailedEventsThatNothingHolds) {
  Outcomes without_file{inputs_, nullptr, console_, *stop_};
  without_file.take(std::vector<Outcome>{failed(1)});
  EXPECT_EQ(without_file.unsaved(), 1U);

  const std::unique_ptr<OutputFile> full = open("/dev/full");
  Outcomes with_full_disk{inputs_, full.get(), console_, *stop_};
  with_full_disk.take(std::vector<Outcome>{failed(1), failed(2)});
  EXPECT_EQ(with_full_disk.unsaved(), 2U);
  EXPECT_EQ(failures_.size(), 1U);
}

}  // namespace
}  // namespace dualstream::command
