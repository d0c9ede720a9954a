#include "intake.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "byte_source.h"
#include "command/temporary_folder.h"
#include "console.h"
#include "line_place.h"

namespace dualstream::command {
namespace {

using testing::TemporaryFolder;

// What all takers of a run have taken: lines by input, in order.
class Taken {
 public:
  void add(std::string_view line, std::uint64_t tag) {
    const std::lock_guard lock{mutex_};
    lines_[place_of(tag).input].emplace_back(std::to_string(place_of(tag).line) + ":" +
                                             std::string{line});
    count_ += 1;
  }
  [[nodiscard]] std::vector<std::string> lines(std::size_t input) {
    const std::lock_guard lock{mutex_};
    return lines_[input];
  }
  [[nodiscard]] std::size_t count() {
    const std::lock_guard lock{mutex_};
    return count_;
  }

 private:
  std::mutex mutex_;
  std::map<std::size_t, std::vector<std::string>> lines_;
  std::size_t count_ = 0;
};

// Refuses lines that begin with "bad", and says `full` where `full` says so.
class FakeTaker final : public LineTaker {
 public:
  FakeTaker(Taken& taken, std::function<bool()> full) : taken_(taken), full_(std::move(full)) {}

  PublishResult take(std::string_view line, std::uint64_t tag,
                     std::chrono::milliseconds /*timeout*/) override {
    if (line.starts_with("bad")) return PublishResult::invalid;
    if (full_()) return PublishResult::full;
    taken_.add(line, tag);
    return PublishResult::accepted;
  }
  [[nodiscard]] std::string_view refusal_reason() const override { return "said to be bad"; }

 private:
  Taken& taken_;
  const std::function<bool()> full_;
};

class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() { EXPECT_TRUE(StopRequest::make(std::chrono::seconds{60}, stop_).ok()); }

  // Runs over `inputs`, one thread for each.
  void run(std::vector<std::string> inputs, const BadLinesOptions& bad = {}) {
    inputs_ = std::move(inputs);
    bad_lines_ = std::make_unique<BadLines>(inputs_, bad, console_, *stop_);
    intake_ = std::make_unique<Intake>(
        inputs_,
        IntakeOptions{.threads = threads_, .reader = {.line_bytes_max = 100, .block_bytes = 64}},
        *bad_lines_, *stop_);
    const Status status =
        intake_->run([this] { return std::make_unique<FakeTaker>(taken_, full_); });
    EXPECT_TRUE(status.ok()) << status.message;
  }

  TemporaryFolder folder_;
  std::size_t threads_ = 1;
  std::function<bool()> full_ = [] { return false; };
  Taken taken_;
  Console console_{{.log_level = LogLevel::error}};
  std::unique_ptr<StopRequest> stop_;
  std::vector<std::string> inputs_;
  std::unique_ptr<BadLines> bad_lines_;
  std::unique_ptr<Intake> intake_;
};

TEST_F(IntakeTest, HandsOnEveryGoodLineAndCountsTheOthers) {
  run({folder_.write("a", "one\n\nbad\r\n" + std::string(200, 'x') + "\r\ntwo")});
  EXPECT_EQ(taken_.lines(0), (std::vector<std::string>{"1:one", "5:two"}));
  const IntakeCounts counts = intake_->counts();
  EXPECT_EQ(counts.lines, 5U);
  EXPECT_EQ(counts.blank, 1U);
  EXPECT_EQ(bad_lines_->count(), 2U);
  EXPECT_EQ(counts.bytes, 4U + 1 + 5 + 202 + 3);
  EXPECT_EQ(intake_->progress()[0].state, InputState::finished);
}

TEST_F(IntakeTest, LosesOnlyTheBadLines) {
  std::string text;
  for (int line = 1; line <= 10'000; ++line) {
    text += line == 5'000 ? "bad\n" : "line " + std::to_string(line) + "\n";
  }
  run({folder_.write("a", text)});
  EXPECT_EQ(taken_.count(), 9'999U);
  EXPECT_EQ(bad_lines_->count(), 1U);
}

TEST_F(IntakeTest, KeepsTheOrderWithinEachFileWithSeveralThreads) {
  threads_ = 4;
  std::vector<std::string> inputs;
  for (int file = 0; file < 9; ++file) {
    std::string text;
    for (int line = 1; line <= 500; ++line) text += std::to_string(file) + "\n";
    inputs.push_back(folder_.write(std::to_string(file), text));
  }
  run(inputs);
  for (std::size_t file = 0; file < 9; ++file) {
    const std::vector<std::string> lines = taken_.lines(file);
    ASSERT_EQ(lines.size(), 500U);
    for (std::size_t at = 0; at < lines.size(); ++at) {
      ASSERT_EQ(lines[at], std::to_string(at + 1) + ":" + std::to_string(file));
    }
  }
}

TEST_F(IntakeTest, OffersALineAgainUntilThereIsRoom) {
  int refusals = 50;
  full_ = [&refusals] { return refusals-- > 0; };
  run({folder_.write("a", "one\ntwo\n")});
  EXPECT_EQ(taken_.lines(0), (std::vector<std::string>{"1:one", "2:two"}));
}

TEST_F(IntakeTest, LeavesTheRestOfAFileInItAfterASignal) {
  int offered = 0;
  full_ = [this, &offered] {
    if (++offered < 3) return false;
    stop_->request(StopReason::signal);
    return true;
  };
  run({folder_.write("a", "one\ntwo\nthree\nfour\n"), folder_.write("b", "five\n")});
  EXPECT_EQ(taken_.lines(0), (std::vector<std::string>{"1:one", "2:two"}));
  EXPECT_EQ(intake_->progress()[0].state, InputState::stopped);
  EXPECT_EQ(intake_->progress()[0].next_line, 3U);
  EXPECT_EQ(intake_->progress()[1].state, InputState::waiting);
  EXPECT_EQ(intake_->counts().left, 0U);
}

TEST_F(IntakeTest, StopsAtTooManyBadLines) {
  run({folder_.write("a", "one\nbad\nbad\ntwo\n")}, {.bad_max = 1});
  EXPECT_EQ(taken_.count(), 1U);
  EXPECT_EQ(stop_->reason(), StopReason::too_many_bad);
  EXPECT_EQ(intake_->progress()[0].next_line, 4U);
}

TEST_F(IntakeTest, GoesOnWithTheOthersWhenAnInputCannotBeOpened) {
  run({folder_.path("missing"), folder_.write("b", "one\n")});
  EXPECT_EQ(intake_->progress()[0].state, InputState::failed);
  EXPECT_EQ(intake_->progress()[0].error,
            "cannot read " + folder_.path("missing") + ": No such file or directory");
  EXPECT_EQ(taken_.lines(1), (std::vector<std::string>{"1:one"}));
}

TEST_F(IntakeTest, SaysAtWhichLineAnInputFailed) {
  run({"/"});  // A folder opens, and cannot be read.
  EXPECT_EQ(intake_->progress()[0].state, InputState::failed);
  EXPECT_EQ(intake_->progress()[0].error, "cannot read / from line 1 on: Is a directory");
}

// A pipe with a name, and its writing end.
class IntakePipeTest : public IntakeTest {
 protected:
  IntakePipeTest() : pipe_(folder_.path("pipe")) { EXPECT_EQ(::mkfifo(pipe_.c_str(), 0600), 0); }
  ~IntakePipeTest() override {
    if (reader_.joinable()) reader_.join();
    close_writer();
  }

  void start() {
    reader_ = std::thread{[this] { run({pipe_}); }};
    writer_ = ::open(pipe_.c_str(), O_WRONLY);  // Waits for the reader.
    ASSERT_GE(writer_, 0);
  }
  void write(const std::string& text) const {
    ASSERT_EQ(::write(writer_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void close_writer() {
    if (writer_ >= 0) ::close(writer_);
    writer_ = -1;
  }
  void wait_until_taken(std::size_t count) {
    while (taken_.count() < count) std::this_thread::yield();
  }

  const std::string pipe_;
  int writer_ = -1;
  std::thread reader_;
};

TEST_F(IntakePipeTest, TakesTheEndOfTheWriterForTheEnd) {
  start();
  write("one\ntw");
  write("o\n");
  close_writer();
  reader_.join();
  EXPECT_EQ(taken_.lines(0), (std::vector<std::string>{"1:one", "2:two"}));
  EXPECT_EQ(intake_->progress()[0].state, InputState::finished);
}

TEST_F(IntakePipeTest, HearsOfAStopWhileItWaitsForBytes) {
  start();
  write("one\npart of a li");
  wait_until_taken(1);
  stop_->request(StopReason::signal);
  reader_.join();
  EXPECT_EQ(intake_->progress()[0].state, InputState::stopped);
  EXPECT_EQ(intake_->progress()[0].next_line, 2U);
  EXPECT_EQ(intake_->counts().left, 0U);
}

TEST_F(IntakePipeTest, HearsOfAStopBeforeAWriterHasCome) {
  reader_ = std::thread{[this] { run({pipe_}); }};
  stop_->request(StopReason::signal);
  reader_.join();
  EXPECT_NE(intake_->progress()[0].state, InputState::finished);
}

TEST_F(IntakePipeTest, StillPublishesTheLinesThatThePipeHasLostAfterASignal) {
  full_ = [this, offered = 0]() mutable {
    if (++offered == 2) stop_->request(StopReason::signal);
    return offered == 2;
  };
  start();
  write("one\ntwo\nthree\nfour\n");  // One read takes them all.
  reader_.join();
  EXPECT_EQ(taken_.count(), 4U);
  EXPECT_EQ(intake_->counts().left, 0U);
}

TEST_F(IntakePipeTest, CountsTheLinesThatThereWasNoTimeFor) {
  ASSERT_TRUE(StopRequest::make(std::chrono::milliseconds{0}, stop_).ok());
  full_ = [this, offered = 0]() mutable {
    if (++offered == 2) stop_->request(StopReason::signal);
    return offered >= 2;
  };
  start();
  write("one\ntwo\nthree\n\nfour\n");
  reader_.join();
  EXPECT_EQ(taken_.count(), 1U);
  EXPECT_EQ(intake_->counts().left, 3U);
}

TEST(ByteSourceTest, KnowsWhatCanBeReadWithoutOpeningIt) {
  const TemporaryFolder folder;
  std::uint64_t bytes = 0;
  EXPECT_TRUE(check_input(folder.write("a", "12345"), bytes).ok());
  EXPECT_EQ(bytes, 5U);
  EXPECT_EQ(check_input(folder.path("b"), bytes).message,
            "cannot read " + folder.path("b") + ": No such file or directory");
  EXPECT_EQ(check_input("/", bytes).message, "cannot read /: Is a directory");
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(check_input(pipe, bytes).ok());
}

TEST(LinePlaceTest, TravelsInATag) {
  const LinePlace place{.input = kInputsMax - 1, .line = (std::uint64_t{1} << kLineBits) - 1};
  EXPECT_EQ(place_of(tag_of(place)).input, place.input);
  EXPECT_EQ(place_of(tag_of(place)).line, place.line);
}

}  // namespace
}  // namespace dualstream::command
