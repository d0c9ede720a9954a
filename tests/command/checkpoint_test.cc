#include "checkpoint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "command/temporary_folder.h"

namespace dualstream::command {
namespace {

using std::chrono_literals::operator""ms;
using testing::TemporaryFolder;

class CheckpointTest : public ::testing::Test {
 protected:
  Status open(const std::vector<std::string>& inputs, std::uint64_t window = 1'000) {
    checkpoint_.reset();
    return Checkpoint::open(
        {.file = state_, .topic = topic_, .window_lines = window, .interval = interval_}, inputs,
        checkpoint_);
  }
  void start_saving() {
    const Status status = checkpoint_->start_saving(
        [this] { return safe_.load(); },
        [this](const std::string& message) { failures_.push_back(message); });
    ASSERT_TRUE(status.ok()) << status.message;
  }
  // Begins the next line of the file at `input`, "1234\n" each, and gives its number.
  bool begin(std::size_t input, std::uint64_t line) {
    return checkpoint_->begin(input, "1234", true, 5 * line, 0ms);
  }
  void settle(std::size_t input, std::uint64_t line) {
    const LinePlace place{.input = input, .line = line};
    checkpoint_->settle({&place, 1});
  }
  static std::string lines(std::size_t count) {
    std::string text;
    for (std::size_t line = 0; line < count; ++line) text += "1234\n";
    return text;
  }
  LinePosition next_of(std::size_t input) { return checkpoint_->start(input).next; }

  TemporaryFolder folder_;
  const std::string state_ = folder_.path("state");
  std::string topic_ = "events";
  std::chrono::milliseconds interval_{1'000'000};
  std::atomic<bool> safe_{true};
  std::vector<std::string> failures_;
  std::unique_ptr<Checkpoint> checkpoint_;
};

TEST_F(CheckpointTest, GoesOnWhereEveryLineBeforeIsDoneWith) {
  const std::string a = folder_.write("a", lines(4));
  const std::string b = folder_.write("b", lines(4));
  ASSERT_TRUE(open({a, b}).ok());
  start_saving();
  for (const std::uint64_t line : {1U, 2U, 3U}) ASSERT_TRUE(begin(0, line));
  ASSERT_TRUE(begin(1, 1));
  settle(0, 1);
  settle(0, 3);
  ASSERT_TRUE(checkpoint_->finish());
  EXPECT_EQ(checkpoint_->behind(), 3U);
  ASSERT_TRUE(open({b, a}).ok());
  EXPECT_EQ(next_of(0), (LinePosition{}));
  EXPECT_EQ(next_of(1), (LinePosition{.line = 2, .offset = 5}));
}

TEST_F(CheckpointTest, KeepsWhatItKnowsOfOtherFiles) {
  const std::string a = folder_.write("a", lines(4));
  const std::string b = folder_.write("b", lines(4));
  ASSERT_TRUE(open({a}).ok());
  start_saving();
  ASSERT_TRUE(begin(0, 1));
  settle(0, 1);
  ASSERT_TRUE(checkpoint_->finish());
  ASSERT_TRUE(open({b}).ok());
  start_saving();
  ASSERT_TRUE(checkpoint_->finish());
  ASSERT_TRUE(open({a}).ok());
  EXPECT_EQ(next_of(0).line, 2U);
}

TEST_F(CheckpointTest, LetsLinesGoNoFurtherThanTheWindowBehindTheSavedMarks) {
  ASSERT_TRUE(open({folder_.write("a", lines(9))}, 4).ok());
  start_saving();
  for (const std::uint64_t line : {1U, 2U, 3U, 4U}) ASSERT_TRUE(begin(0, line));
  EXPECT_FALSE(begin(0, 5));
  settle(0, 1);  // Done with, and not saved: a run that is killed now does it again.
  EXPECT_FALSE(begin(0, 5));
  settle(0, 2);  // Half a window is saved at once.
  EXPECT_TRUE(checkpoint_->begin(0, "1234", true, 25, 60'000ms));
}

TEST_F(CheckpointTest, SavesWhatHasMovedAfterAWhile) {
  interval_ = 1ms;
  ASSERT_TRUE(open({folder_.write("a", lines(9))}, 1'000'000).ok());
  start_saving();
  ASSERT_TRUE(begin(0, 1));
  settle(0, 1);
  while (checkpoint_->behind() > 0) std::this_thread::yield();
  checkpoint_.reset();  // Without the last save.
  ASSERT_TRUE(open({folder_.path("a")}).ok());
  EXPECT_EQ(next_of(0).line, 2U);
}

TEST_F(CheckpointTest, PassesNothingThatIsNotSafe) {
  ASSERT_TRUE(open({folder_.write("a", lines(9))}).ok());
  start_saving();
  ASSERT_TRUE(begin(0, 1));
  settle(0, 1);
  safe_ = false;
  EXPECT_FALSE(checkpoint_->finish());
  ASSERT_TRUE(open({folder_.path("a")}).ok());
  EXPECT_EQ(next_of(0).line, 1U);
}

TEST_F(CheckpointTest, SaysWhyItCannotBeSaved) {
  const std::string inner = folder_.path("inner");
  ASSERT_EQ(::mkdir(inner.c_str(), 0700), 0);
  std::unique_ptr<Checkpoint> checkpoint;
  ASSERT_TRUE(Checkpoint::open({.file = inner + "/state", .topic = "t", .window_lines = 10},
                               {folder_.write("a", lines(2))}, checkpoint)
                  .ok());
  ASSERT_TRUE(checkpoint
                  ->start_saving([] { return true; },
                                 [this](const std::string& text) { failures_.push_back(text); })
                  .ok());
  std::filesystem::remove_all(inner);
  EXPECT_FALSE(checkpoint->finish());
  EXPECT_EQ(failures_, std::vector<std::string>{"cannot write to " + inner +
                                                "/state.tmp: No such file or directory"});
}

// ---- What does not fit

TEST_F(CheckpointTest, RefusesWhatCannotBeReadAgain) {
  EXPECT_NE(open({"-"}).message.find("stdin cannot be read again from its middle"),
            std::string::npos);
  const std::string pipe = folder_.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_NE(open({pipe}).message.find("leave --checkpoint away"), std::string::npos);
  EXPECT_NE(open({folder_.path("none")}).message.find("No such file"), std::string::npos);
}

TEST_F(CheckpointTest, RefusesAFileThatIsGivenTwice) {
  const std::string file = folder_.write("a", lines(1));
  ASSERT_EQ(::symlink(file.c_str(), folder_.path("b").c_str()), 0);
  EXPECT_EQ(open({file, folder_.path("b")}).message,
            folder_.path("b") + " is given twice; give it once");
}

TEST_F(CheckpointTest, RefusesAFileThatWasReplacedOrShrank) {
  const std::string file = folder_.write("a", lines(4));
  ASSERT_TRUE(open({file}).ok());
  start_saving();
  for (const std::uint64_t line : {1U, 2U}) ASSERT_TRUE(begin(0, line));
  for (const std::uint64_t line : {1U, 2U}) settle(0, line);
  ASSERT_TRUE(checkpoint_->finish());

  folder_.write("a", lines(1));
  EXPECT_NE(open({file}).message.find("a has shrunk to 5 bytes, and 10 of it were done with; if "
                                      "it is a new file, name another --checkpoint than "),
            std::string::npos)
      << open({file}).message;
  folder_.write("a", "abcd\n" + lines(3));
  EXPECT_NE(open({file}).message.find("is not the file that it was"), std::string::npos);
  // The same beginning, as far as it was there; another line before the mark.
  folder_.write("a", lines(1) + "abcd\n" + lines(3));
  EXPECT_NE(open({file}).message.find("is not the file that it was"), std::string::npos);
  folder_.write("a", lines(7));
  ASSERT_TRUE(open({file}).ok());
  EXPECT_EQ(next_of(0), (LinePosition{.line = 3, .offset = 10}));
  // It is looked at again when it is opened to be read.
  folder_.write("a", "abcd\n" + lines(6));
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  InputMark start;
  EXPECT_FALSE(checkpoint_->enter(0, fd, start).ok());
  ::close(fd);
}

TEST_F(CheckpointTest, RefusesTheCheckpointOfAnotherTopicAndForeignFiles) {
  const std::string file = folder_.write("a", lines(4));
  ASSERT_TRUE(open({file}).ok());
  topic_ = "others";
  EXPECT_EQ(open({file}).message, state_ +
                                      " is the checkpoint of the topic events, and this run "
                                      "has others; name another file");
  folder_.write("state", "{\"id\":1}\n");
  EXPECT_EQ(open({file}).message,
            state_ +
                " is no checkpoint that can be used: it was not written by --checkpoint; name "
                "another file, or remove it to publish everything from the start");
  EXPECT_EQ(folder_.read("state"), "{\"id\":1}\n");
}

TEST_F(CheckpointTest, RefusesAFileInUse) {
  const std::string file = folder_.write("a", lines(4));
  ASSERT_TRUE(open({file}).ok());
  std::unique_ptr<Checkpoint> second;
  const Status status = Checkpoint::open({.file = state_, .topic = topic_}, {file}, second);
  EXPECT_EQ(status.code, StatusCode::invalid_options);
  EXPECT_NE(status.message.find("is in use by another process"), std::string::npos);
}

TEST_F(CheckpointTest, SaysWhyItCannotBeWritten) {
  const std::string file = folder_.write("a", lines(4));
  std::unique_ptr<Checkpoint> none;
  const Status status =
      Checkpoint::open({.file = folder_.path("no/state"), .topic = "t"}, {file}, none);
  EXPECT_EQ(status.code, StatusCode::exhausted);
  EXPECT_EQ(status.message,
            "cannot write to " + folder_.path("no/state") + ": No such file or directory");
  EXPECT_NE(Checkpoint::open({.file = folder_.path(""), .topic = "t"}, {file}, none)
                .message.find(folder_.path("")),
            std::string::npos);
}

// ---- The file

CheckpointState some_state() {
  return {.topic = "events",
          .inputs = {{.path = "/var/a \"b\" größe",
                      .mark = {.next = {.line = 18, .offset = 4'711},
                               .before = {.begin = 4'700, .size = 10, .hash = hash_of("x")}},
                      .start = {.begin = 0, .size = 4'096, .hash = hash_of("y")}},
                     {.path = "/b", .mark = {}, .start = {}}}};
}

TEST(CheckpointStateTest, IsReadAsItWasWritten) {
  CheckpointState read;
  EXPECT_EQ(parse_checkpoint(checkpoint_text(some_state()), read), std::nullopt);
  EXPECT_EQ(read, some_state());
}

TEST(CheckpointStateTest, NoDamageGoesUnseen) {
  const std::string text = checkpoint_text(some_state());
  CheckpointState read;
  for (std::size_t size = 0; size < text.size(); ++size) {
    ASSERT_NE(parse_checkpoint(text.substr(0, size), read), std::nullopt) << size;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string damaged = text;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << bit));
      ASSERT_NE(parse_checkpoint(damaged, read), std::nullopt) << at << " " << bit;
    }
  }
}

TEST(CheckpointStateTest, SaysWhatAnotherVersionIs) {
  std::string text = R"({"dualstream_checkpoint":2,"inputs":[])";
  text += ",\"checksum\":\"";
  const std::string before = R"({"dualstream_checkpoint":2,"inputs":[])";
  std::array<char, 17> sum{};
  std::snprintf(sum.data(), sum.size(), "%016llx",
                static_cast<unsigned long long>(hash_of(before)));
  text.append(sum.data()).append("\"}\n");
  CheckpointState read;
  EXPECT_EQ(parse_checkpoint(text, read), "it has version 2, and this program knows 1");
}

TEST(StateFileTest, StaysWholeAfterAnInterruptedWrite) {
  const TemporaryFolder folder;
  const std::string name = folder.path("state");
  std::unique_ptr<StateFile> file;
  ASSERT_TRUE(StateFile::open(name, file).ok());
  std::optional<std::string> text;
  ASSERT_TRUE(file->read(text).ok());
  EXPECT_FALSE(text.has_value());
  ASSERT_TRUE(file->write("one\n").ok());
  folder.write("state.tmp", "half of the next o");  // What a kill leaves.
  ASSERT_TRUE(file->read(text).ok());
  EXPECT_EQ(text, "one\n");
  ASSERT_TRUE(file->write("two\n").ok());
  EXPECT_EQ(folder.read("state"), "two\n");
  EXPECT_FALSE(std::filesystem::exists(name + ".tmp"));
}

}  // namespace
}  // namespace dualstream::command
