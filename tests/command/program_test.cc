// The command as its user meets it: started, fed, signalled, and judged by what it prints and its
// exit code. Where it needs a Kafka, librdkafka's own mock cluster stands in.
#include "command/program.h"

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "command/temporary_folder.h"

namespace dualstream::command {
namespace {

using nlohmann::json;
using testing::Program;
using testing::ProgramEnd;
using testing::run_program;
using testing::TemporaryFolder;
using Words = std::vector<std::string>;

// Nobody listens there.
constexpr const char* kNobody = "127.0.0.1:1";

Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words ingest() { return {"ingest", "--brokers", kNobody, "--topic", "events"}; }

Words ingest_to_mock() {
  return ingest() + Words{"--kafka-property", "test.mock.num.brokers=1", "--log-level", "warning"};
}

// Buffers for a Kafka that never comes.
Words ingest_to_nobody() {
  return ingest() + Words{"--wait-for-kafka", "--open-timeout", "0", "--log-level", "warning"};
}

std::string event(int id) {
  return R"({"id":")" + std::to_string(id) + R"(","type":"PushEvent","repo":{"name":"owner/r)" +
         std::to_string(id % 7) + R"("},"text":"größer \"quoted\" \u0000"})";
}

std::string events(int count) {
  std::string text;
  for (int id = 1; id <= count; ++id) text += event(id) + '\n';
  return text;
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::vector<json> json_lines(const std::string& text) {
  std::vector<json> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return lines;
}

// ---- What needs no server

TEST(ProgramTest, TellsItsVersionAndThoseOfItsLibraries) {
  const ProgramEnd end = run_program({"--version"});
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_TRUE(end.output.starts_with("dualstream 0.")) << end.output;
  for (const char* library : {"\nlibrdkafka ", "\nhiredis ", "\nsimdjson "}) {
    EXPECT_TRUE(holds(end.output, library)) << end.output;
  }
}

TEST(ProgramTest, Helps) {
  const ProgramEnd all = run_program({});
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_TRUE(holds(all.output, "\n  ingest ")) << all.output;
  const ProgramEnd one = run_program({"ingest", "--help"});
  EXPECT_EQ(one.exit_code, 0);
  EXPECT_TRUE(holds(one.output, "Examples:")) << one.output;
  EXPECT_TRUE(holds(one.output, "Exit codes")) << one.output;
}

TEST(ProgramTest, NamesTheNearestKnownNameOfWhatItDoesNotKnow) {
  const ProgramEnd flag = run_program({"ingest", "--broker", "x"});
  EXPECT_EQ(flag.exit_code, 2);
  EXPECT_EQ(flag.errors,
            "dualstream: unknown flag `--broker`; did you mean `--brokers`?\n"
            "`dualstream ingest --help` tells what there is.\n");
  EXPECT_EQ(flag.output, "");
  const ProgramEnd variable = run_program({"ingest"}, {}, {.environment = {"DUALSTREAM_TOPICS=x"}});
  EXPECT_EQ(variable.exit_code, 2);
  EXPECT_TRUE(holds(variable.errors, "did you mean `DUALSTREAM_TOPIC`?")) << variable.errors;
  EXPECT_EQ(run_program({"ingset"}).exit_code, 2);
}

TEST(ProgramTest, SaysWhichOptionTheEngineRefuses) {
  const ProgramEnd missing = run_program({"ingest", "--topic", "t"});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_TRUE(holds(missing.errors, "(--brokers)")) << missing.errors;
  const ProgramEnd topic =
      run_program({"ingest", "--brokers", kNobody}, {}, {.environment = {"DUALSTREAM_TOPIC=a b"}});
  EXPECT_EQ(topic.exit_code, 2);
  EXPECT_TRUE(holds(topic.errors, "(--topic, set in DUALSTREAM_TOPIC)")) << topic.errors;
}

TEST(ProgramTest, NamesFileAndLineOfAConfigError) {
  const TemporaryFolder folder;
  const std::string file = folder.write("my.conf", "# mine\ntopic = t\nbroker = x\n");
  const ProgramEnd end = run_program({"ingest", "--config", file});
  EXPECT_EQ(end.exit_code, 2);
  EXPECT_TRUE(holds(end.errors, "unknown key `broker` in " + file + ":3; did you mean `brokers`?"))
      << end.errors;
}

TEST(ProgramTest, PrintsItsConfigurationAndEnds) {
  const TemporaryFolder folder;
  const std::string file = folder.write("my.conf", "topic = t\nlinger = 3ms\n");
  const ProgramEnd end =
      run_program({"ingest", "--config", file, "--linger", "5ms", "--print-config"}, {},
                  {.environment = {"DUALSTREAM_BROKERS=h:1", "DUALSTREAM_REDIS_PASSWORD=hunter2"}});
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_TRUE(holds(end.output, "brokers = \"h:1\"")) << end.output;
  EXPECT_TRUE(holds(end.output, "# DUALSTREAM_BROKERS\n")) << end.output;
  EXPECT_TRUE(holds(end.output, "# " + file + ":1\n")) << end.output;
  EXPECT_TRUE(holds(end.output, "linger = 5ms ")) << end.output;
  EXPECT_FALSE(holds(end.output + end.errors, "hunter2")) << end.output;
}

TEST(ProgramTest, ChecksEveryInputBeforeItPublishesAny) {
  const TemporaryFolder folder;
  const std::string good = folder.write("good", events(3));
  const ProgramEnd end = run_program(ingest_to_mock() + Words{good, folder.path("missing")});
  EXPECT_EQ(end.exit_code, 5);
  EXPECT_EQ(end.errors, "dualstream: cannot read " + folder.path("missing") +
                            ": No such file or directory; nothing was published\n");
  EXPECT_EQ(run_program(ingest_to_mock() + Words{"-", "-"}).exit_code, 2);
}

TEST(ProgramTest, RefusesToWriteWhatItReads) {
  const TemporaryFolder folder;
  const std::string file = folder.write("a", events(1));
  EXPECT_EQ(run_program(ingest_to_mock() + Words{file, "--bad-file", file}).exit_code, 2);
  const std::string out = folder.path("out");
  EXPECT_EQ(
      run_program(ingest_to_mock() + Words{"--bad-file", out, "--dead-letter", out}).exit_code, 2);
  EXPECT_EQ(run_program(ingest_to_mock() + Words{"--bad-file", folder.path("no/such")}).exit_code,
            6);
}

TEST(ProgramTest, EndsWhenNoBrokerAnswers) {
  const ProgramEnd end = run_program(ingest() + Words{"--open-timeout", "300ms"});
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_TRUE(holds(end.errors, kNobody)) << end.errors;
  EXPECT_EQ(end.output, "");
}

// ---- With a Kafka

TEST(ProgramTest, PublishesFilesAndAccountsForEveryLine) {
  const TemporaryFolder folder;
  const std::string a = folder.write("a", events(1'000));
  const std::string b = folder.write("b", "\xef\xbb\xbf" + event(1) + "\r\n\r\n" + event(2));
  const ProgramEnd end = run_program(ingest_to_mock() + Words{"--threads", "2", "--json", a, b});
  ASSERT_EQ(end.exit_code, 0) << end.errors;
  const json ledger = json::parse(end.output);
  EXPECT_EQ(ledger["lines"], 1'003);
  EXPECT_EQ(ledger["blank"], 1);
  EXPECT_EQ(ledger["counters"]["delivered"], 1'002);
  EXPECT_EQ(ledger["counters"]["pending"], 0);
  EXPECT_EQ(ledger["ended_by"], "end_of_input");
  EXPECT_EQ(end.errors, "");
}

TEST(ProgramTest, TakesTheEndOfAPipeForANormalEnd) {
  const ProgramEnd end = run_program(ingest_to_mock(), events(10) + event(11));
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_TRUE(holds(end.output, "accepted 11 = delivered 11 + failed 0 + pending 0\n"))
      << end.output;
  EXPECT_TRUE(end.output.ends_with("\nEvery event is in Kafka.\n")) << end.output;
}

TEST(ProgramTest, WaitsForRoomWithoutLosingALine) {
  const ProgramEnd end =
      run_program(ingest_to_mock() + Words{"--queue-events", "1", "--json"}, events(300));
  ASSERT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_EQ(json::parse(end.output)["counters"]["delivered"], 300);
}

TEST(ProgramTest, ReportsBadLinesKeepsThemAndGoesOn) {
  const TemporaryFolder folder;
  const std::string bad = folder.path("bad");
  const std::string deep = std::string(100'000, '[');
  const std::string huge(2'000'000, 'x');
  const std::string truncated = event(4).substr(0, 30);
  const ProgramEnd end =
      run_program(ingest_to_mock() + Words{"--bad-file", bad, "--json", "-"},
                  event(1) + "\n{\"id\":\x1b\n" + deep + '\n' + huge + '\n' + event(2) + '\n' +
                      "{\"id\":\"3\",\"type\":\"T\",\"repo\":{\"name\":\"\xff\"}}\n" + truncated);
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  const json ledger = json::parse(end.output);
  EXPECT_EQ(ledger["counters"]["delivered"], 2);
  EXPECT_EQ(ledger["bad"], 5);
  EXPECT_EQ(std::count(end.errors.begin(), end.errors.end(), '\n'), 5) << end.errors;
  for (const char* place : {"stdin:2: ", "stdin:3: ", "stdin:4: ", "stdin:6: ", "stdin:7: "}) {
    EXPECT_TRUE(holds(end.errors, place)) << end.errors;
  }
  EXPECT_EQ(folder.read("bad"), "{\"id\":\x1b\n" + deep + '\n' + huge + '\n' +
                                    "{\"id\":\"3\",\"type\":\"T\",\"repo\":{\"name\":\"\xff\"}}\n" +
                                    truncated + '\n');
}

TEST(ProgramTest, StopsAtTheFirstBadLineIfAsked) {
  const TemporaryFolder folder;
  const std::string file = folder.write("a", event(1) + "\nnonsense\n" + event(2) + "\n");
  const ProgramEnd end = run_program(ingest_to_mock() + Words{"--max-bad", "0", file});
  EXPECT_EQ(end.exit_code, 4);
  EXPECT_TRUE(holds(end.output, "delivered 1 ")) << end.output;
  EXPECT_TRUE(holds(end.output, "--max-bad 0.\n" + file + " goes on at line 3.\n")) << end.output;
}

TEST(ProgramTest, StopsWhenBadLinesCannotBeKept) {
  const ProgramEnd end =
      run_program(ingest_to_mock() + Words{"--bad-file", "/dev/full"}, event(1) + "\nnonsense\n");
  EXPECT_EQ(end.exit_code, 6);
  EXPECT_TRUE(holds(end.errors, "cannot write to /dev/full: No space left on device"))
      << end.errors;
}

TEST(ProgramTest, SaysSoWhenTheLedgerCannotBeWritten) {
  const ProgramEnd end = run_program(ingest_to_mock(), events(1), {.stdout_file = "/dev/full"});
  EXPECT_EQ(end.exit_code, 6);
  EXPECT_TRUE(holds(end.errors, "cannot write to stdout: No space left on device")) << end.errors;
}

TEST(ProgramTest, KeepsQuiet) {
  const ProgramEnd end = run_program(ingest_to_mock() + Words{"--quiet"}, events(5));
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.output, "");
  EXPECT_EQ(end.errors, "");
}

// ---- Signals

TEST(ProgramTest, StopsReadingAtASignalAndDeliversWhatWasRead) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    Program program{ingest_to_mock()};
    program.write(events(100) + "nonsense\n" + "{\"id\":");
    ASSERT_TRUE(program.wait_for_error("stdin:101: "));
    program.send(signal);
    const ProgramEnd end = program.wait();  // Its stdin is open: only the signal can end it.
    EXPECT_EQ(end.exit_code, 0) << end.errors;
    EXPECT_TRUE(holds(end.output, "accepted 100 = delivered 100 + failed 0 + pending 0\n"))
        << end.output;
    EXPECT_TRUE(end.output.ends_with("Stopped by a signal.\nstdin goes on at line 102.\n"))
        << end.output;
  }
}

TEST(ProgramTest, StopsAtASignalWhileItWaitsForRoom) {
  const TemporaryFolder folder;
  const std::string file = folder.write("a", events(2) + "nonsense\n" + events(5));
  Program program{ingest_to_nobody() +
                  Words{"--queue-events", "2", "--drain-timeout", "100ms", "--json", file}};
  ASSERT_TRUE(program.wait_for_error(file + ":3: "));  // Two are taken, and there is no more room.
  program.send(SIGTERM);
  const ProgramEnd end = program.wait();
  EXPECT_EQ(end.exit_code, 1) << end.errors;
  const json ledger = json::parse(end.output);
  EXPECT_EQ(ledger["ended_by"], "signal");
  EXPECT_EQ(ledger["counters"]["accepted"], 2);
  EXPECT_EQ(ledger["failed_by_reason"]["stopped"], 2);
  EXPECT_EQ(ledger["unfinished"][0]["next_line"], 4);
}

TEST(ProgramTest, EndsAtOnceAtASecondSignal) {
  Program program{ingest_to_nobody() + Words{"--drain-timeout", "1h"}};
  program.write(events(3) + "nonsense\n");
  ASSERT_TRUE(program.wait_for_error("stdin:4: "));
  program.send(SIGTERM);
  ASSERT_TRUE(program.wait_for_error("SIGTERM: no more is taken"));
  program.send(SIGINT);
  const ProgramEnd end = program.wait();
  EXPECT_EQ(end.exit_code, 130);
  EXPECT_TRUE(holds(end.errors, "a second signal: ended at once")) << end.errors;
}

// ---- Events that fail

TEST(ProgramTest, SavesEveryEventThatKafkaDidNotTake) {
  const TemporaryFolder folder;
  const ProgramEnd end =
      run_program(ingest_to_nobody() + Words{"--delivery-timeout", "1s", "--dead-letter",
                                             folder.path("dead"), "--json"},
                  events(30));
  EXPECT_EQ(end.exit_code, 1);
  const json ledger = json::parse(end.output);
  EXPECT_EQ(ledger["counters"]["failed"], 30);
  EXPECT_EQ(ledger["failed_by_reason"]["timed_out"], 30);
  EXPECT_EQ(ledger["failed_unsaved"], 0);
  EXPECT_TRUE(holds(end.errors, "stdin:1: not delivered: timed_out")) << end.errors;
  EXPECT_TRUE(holds(end.errors, "30 failures: timed_out 30\n")) << end.errors;

  std::vector<json> letters = json_lines(folder.read("dead"));
  ASSERT_EQ(letters.size(), 30U);
  std::sort(letters.begin(), letters.end(),
            [](const json& a, const json& b) { return a["line"] < b["line"]; });
  for (int id = 1; id <= 30; ++id) {
    const json& letter = letters[static_cast<std::size_t>(id - 1)];
    EXPECT_EQ(letter["payload"], event(id));
    EXPECT_EQ(letter["id"], std::to_string(id));
    EXPECT_EQ(letter["persisted"], "no");
    EXPECT_EQ(letter["line"], id);
  }
}

TEST(ProgramTest, BreaksItsQuietWhenEventsFail) {
  const ProgramEnd end = run_program(
      ingest_to_nobody() + Words{"--delivery-timeout", "1s", "--quiet"}, events(2) + "nonsense\n");
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_EQ(end.output, "");
  EXPECT_TRUE(
      end.errors.ends_with("\n2 events are not in Kafka. Publish those lines again; "
                           "--dead-letter FILE would have kept them for that.\n"
                           "1 bad line was skipped; --bad-file FILE would keep them.\n"))
      << end.errors;
}

TEST(ProgramTest, SaysHowManyFailedEventsCouldNotBeSaved) {
  const ProgramEnd end = run_program(
      ingest_to_nobody() + Words{"--delivery-timeout", "1s", "--dead-letter", "/dev/full"},
      events(3));
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_TRUE(holds(end.errors, "cannot write to /dev/full: No space left on device"))
      << end.errors;
  EXPECT_TRUE(holds(end.output, "3 of them could not be saved in /dev/full")) << end.output;
}

}  // namespace
}  // namespace dualstream::command
