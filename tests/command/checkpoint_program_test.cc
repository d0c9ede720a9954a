// The command with --checkpoint, as its user meets it. librdkafka's own mock cluster stands in for
// Kafka.
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "command/program.h"
#include "command/temporary_folder.h"

namespace dualstream::command {
namespace {

using nlohmann::json;
using testing::Program;
using testing::ProgramEnd;
using testing::run_program;
using testing::TemporaryFolder;
using Words = std::vector<std::string>;

std::string event(int id) {
  return R"({"id":")" + std::to_string(id) + R"(","type":"T","repo":{"name":"a/b"}})";
}

std::string events(int first, int last) {
  std::string text;
  for (int id = first; id <= last; ++id) text += event(id) + '\n';
  return text;
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

class CheckpointProgramTest : public ::testing::Test {
 protected:
  // Nobody listens there; with the property, librdkafka plays the cluster itself.
  Words words(bool with_kafka, const Words& more) const {
    Words all{"ingest", "--brokers",   "127.0.0.1:1", "--topic",      "events",
              "--json", "--log-level", "warning",     "--checkpoint", state_};
    const Words kafka = with_kafka ? Words{"--kafka-property", "test.mock.num.brokers=1"}
                                   : Words{"--wait-for-kafka", "--open-timeout", "0"};
    all.insert(all.end(), kafka.begin(), kafka.end());
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  ProgramEnd ingest(const Words& more) const { return run_program(words(true, more)); }
  ProgramEnd ingest_to_nobody(const Words& more) const { return run_program(words(false, more)); }

  static int delivered(const ProgramEnd& end) {
    EXPECT_EQ(end.exit_code, 0) << end.errors;
    return json::parse(end.output)["counters"]["delivered"];
  }

  const TemporaryFolder folder_;
  const std::string state_ = folder_.path("state");
};

TEST_F(CheckpointProgramTest, ASecondRunDoesNothingAndAGrownFileGoesOnFromItsOldEnd) {
  const std::string a = folder_.write("a", events(1, 500));
  const std::string b = folder_.write("b", events(501, 600) + "nonsense\n\n" + event(601));
  EXPECT_EQ(delivered(ingest({a, b})), 601);
  const ProgramEnd second = ingest({a, b});
  EXPECT_EQ(delivered(second), 0);
  EXPECT_EQ(json::parse(second.output)["lines"], 0);
  EXPECT_EQ(second.errors, "");
  folder_.write("a", events(1, 503));
  folder_.write("b", events(501, 600) + "nonsense\n\n" + event(601) + "\n" + events(602, 603));
  const ProgramEnd third = ingest({b, a});
  EXPECT_EQ(delivered(third), 5);
  EXPECT_EQ(json::parse(third.output)["bad"], 0);
}

TEST_F(CheckpointProgramTest, SaysWhereItGoesOn) {
  const std::string a = folder_.write("a", events(1, 5));
  EXPECT_EQ(delivered(ingest({a})), 5);
  Words words_with_info = words(true, {a});
  *std::find(words_with_info.begin(), words_with_info.end(), "warning") = "info";
  const ProgramEnd end = run_program(words_with_info);
  EXPECT_TRUE(holds(end.errors, a + " goes on at line 6, as " + state_ + " says")) << end.errors;
}

TEST_F(CheckpointProgramTest, ReadsABadLastLineAgainWhenItHasGotItsEnd) {
  const std::string whole = event(3) + "\n";
  const std::string a = folder_.write("a", events(1, 2) + whole.substr(0, 12));
  const ProgramEnd first = ingest({a});
  EXPECT_EQ(delivered(first), 2);
  EXPECT_EQ(json::parse(first.output)["bad"], 1);
  folder_.write("a", events(1, 2) + whole);
  const ProgramEnd second = ingest({a});
  EXPECT_EQ(delivered(second), 1);
  EXPECT_EQ(json::parse(second.output)["bad"], 0);
}

TEST_F(CheckpointProgramTest, NumbersLinesFromTheStartOfTheFile) {
  const std::string a = folder_.write("a", events(1, 5));
  EXPECT_EQ(delivered(ingest({a})), 5);
  folder_.write("a", events(1, 5) + "nonsense\n");
  EXPECT_TRUE(holds(ingest({a}).errors, a + ":6: "));
}

// What did not get through when the run was stopped is left to the next one, not to a file.
TEST_F(CheckpointProgramTest, LeavesWhatASignalCutOffToTheNextRun) {
  const std::string a = folder_.write("a", events(1, 30) + "nonsense\n");
  const std::string dead = folder_.path("dead");
  Program program{words(false, {a, "--drain-timeout", "100ms", "--dead-letter", dead})};
  ASSERT_TRUE(program.wait_for_error(a + ":31: "));
  program.send(SIGTERM);
  const ProgramEnd end = program.wait();
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_EQ(folder_.read("dead"), "");
  EXPECT_EQ(delivered(ingest({a, "--dead-letter", dead})), 30);
}

TEST_F(CheckpointProgramTest, PassesEventsThatTheDeadLetterFileHolds) {
  const std::string a = folder_.write("a", events(1, 30));
  const std::string dead = folder_.path("dead");
  const ProgramEnd end = ingest_to_nobody({a, "--delivery-timeout", "1s", "--dead-letter", dead});
  EXPECT_EQ(end.exit_code, 1);
  const std::string letters = folder_.read("dead");
  EXPECT_EQ(std::count(letters.begin(), letters.end(), '\n'), 30);
  EXPECT_EQ(delivered(ingest({a, "--dead-letter", dead})), 0);
}

TEST_F(CheckpointProgramTest, StopsAtFailedEventsThatNothingHoldsAndPublishesThemAgain) {
  const std::string a = folder_.write("a", events(1, 30));
  const ProgramEnd end = ingest_to_nobody({a, "--delivery-timeout", "1s"});
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_EQ(json::parse(end.output)["ended_by"], "events_failed");
  EXPECT_EQ(delivered(ingest({a})), 30);

  Words text = words(false, {a, "--json=false", "--delivery-timeout", "1s"});
  folder_.write("a", events(1, 31));
  EXPECT_TRUE(holds(run_program(text).output,
                    "1 event is not in Kafka. The same command publishes them again, because " +
                        state_ + " stands before them.\n"));
}

TEST_F(CheckpointProgramTest, SaysWhatCannotBeUsedAndPublishesNothing) {
  const std::string a = folder_.write("a", events(1, 5));
  const ProgramEnd pipe = ingest({});
  EXPECT_EQ(pipe.exit_code, 2);
  EXPECT_TRUE(holds(pipe.errors,
                    "stdin cannot be read again from its middle, as --checkpoint "
                    "needs it; write it to a file first, or leave --checkpoint away; "
                    "nothing was published\n"))
      << pipe.errors;
  folder_.write("state", "{}");
  const ProgramEnd foreign = ingest({a});
  EXPECT_EQ(foreign.exit_code, 2);
  EXPECT_TRUE(holds(foreign.errors, "is no checkpoint that can be used")) << foreign.errors;
}

TEST_F(CheckpointProgramTest, EndsWhenItCannotBeWrittenOrIsAnotherFileOfTheRun) {
  const std::string a = folder_.write("a", events(1, 5));
  const Words kafka{"ingest",
                    "--brokers",
                    "127.0.0.1:1",
                    "--topic",
                    "events",
                    "--kafka-property",
                    "test.mock.num.brokers=1",
                    a};
  const auto with = [&kafka](const Words& more) {
    Words all = kafka;
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all);
  };
  const ProgramEnd nowhere = with({"--checkpoint", folder_.path("no/state")});
  EXPECT_EQ(nowhere.exit_code, 6);
  EXPECT_TRUE(holds(nowhere.errors, "No such file or directory; nothing was published"));
  EXPECT_EQ(with({"--checkpoint", a}).exit_code, 2);
  EXPECT_EQ(with({"--checkpoint", state_, "--dead-letter", state_}).exit_code, 2);
  EXPECT_EQ(folder_.read("a"), events(1, 5));
}

}  // namespace
}  // namespace dualstream::command
