// The command is told to stop in mid load: it takes no more, delivers what it has read, and says
// where it stopped.
#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "command/program.h"
#include "command/temporary_folder.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"
#include "support/verifying_events.h"

namespace dualstream {
namespace {

using nlohmann::json;
using testing::Program;
using testing::ProgramEnd;

constexpr std::size_t kSources = 500;
constexpr std::uint64_t kEventsPerSource = 2'000;
// The line that shows, by being reported, that the load has begun.
constexpr std::size_t kBadLine = 5'000;

class SignalFaultTest : public ::testing::Test {
 protected:
  SignalFaultTest() {
    std::ofstream out{file_, std::ios::binary};
    std::size_t line = 0;
    for (std::uint64_t sequence = 0; sequence < kEventsPerSource; ++sequence) {
      for (std::size_t source = 0; source < kSources; ++source) {
        if (++line == kBadLine) {
          out << "nonsense\n";
          line += 1;
        }
        out << events_.make(source, sequence).payload << '\n';
      }
    }
  }

  [[nodiscard]] std::vector<std::string> words() const {
    return {"ingest",
            "--brokers",
            servers_.brokers(),
            "--topic",
            topic_,
            "--redis",
            servers_.redis_address(),
            "--json",
            "--log-level",
            "warning",
            file_};
  }
  void wait_for_the_load(Program& program) const {
    ASSERT_TRUE(program.wait_for_error(file_ + ":" + std::to_string(kBadLine) + ": "));
  }

  // That the topic holds the events of the file's lines before `next_line`, each once and in order,
  // and no others.
  void expect_lines_before(std::size_t next_line) const {
    testing::EventsChecker checker{events_};
    ASSERT_GT(next_line, kBadLine);
    for (std::size_t event = 0; event < next_line - 2; ++event) {
      checker.expect(event % kSources, event / kSources);
    }
    const testing::CheckReport report =
        checker.check(testing::read_topic(servers_.brokers(), topic_));
    EXPECT_TRUE(report.ok()) << report.text;
  }

  testing::Servers servers_;
  const testing::TemporaryFolder folder_;
  const std::string file_ = folder_.path("events.ndjson");
  const std::string topic_ = testing::unique_name("signal");
  const testing::VerifyingEvents events_;
};

TEST_F(SignalFaultTest, P1_StopsInMidLoadDeliversWhatWasReadAndEndsWithZero) {
  for (const int signal : {SIGTERM, SIGINT}) {
    SCOPED_TRACE(signal == SIGTERM ? "SIGTERM" : "SIGINT");
    if (signal != SIGTERM) testing::delete_topic(servers_.brokers(), topic_);
    testing::create_topic(servers_.brokers(), topic_);
    Program program{words()};
    wait_for_the_load(program);
    program.send(signal);
    const ProgramEnd end = program.wait();
    EXPECT_EQ(end.exit_code, 0) << end.errors;
    const json ledger = json::parse(end.output);
    EXPECT_EQ(ledger["ended_by"], "signal");
    EXPECT_EQ(ledger["counters"]["pending"], 0);
    EXPECT_EQ(ledger["counters"]["failed"], 0);
    EXPECT_EQ(ledger["counters"]["accepted"], ledger["counters"]["delivered"]);
    ASSERT_EQ(ledger["unfinished"].size(), 1U) << "it was in the midst of the file";
    const std::size_t next_line = ledger["unfinished"][0]["next_line"];
    EXPECT_EQ(ledger["lines"], next_line - 1);
    expect_lines_before(next_line);
  }
}

TEST_F(SignalFaultTest, P1_DrainsNoLongerThanItIsToldTo) {
  testing::create_topic(servers_.brokers(), topic_);
  std::vector<std::string> more = words();
  more.insert(more.end(), {"--drain-timeout", "1s"});
  Program program{more};
  wait_for_the_load(program);
  servers_.freeze("kafka");
  const auto start = std::chrono::steady_clock::now();
  program.send(SIGTERM);
  const ProgramEnd end = program.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{10});
  servers_.thaw("kafka");
  EXPECT_EQ(end.exit_code, 1) << end.errors;
  const json ledger = json::parse(end.output);
  EXPECT_EQ(ledger["counters"]["pending"], 0) << "each has its outcome all the same";
  EXPECT_GT(ledger["failed_by_reason"]["stopped"], 0);
  EXPECT_EQ(ledger["counters"]["accepted"], ledger["counters"]["delivered"].get<std::uint64_t>() +
                                                ledger["counters"]["failed"].get<std::uint64_t>());
}

TEST_F(SignalFaultTest, P1_EndsAtOnceAtASecondSignalWhateverItWaitsFor) {
  testing::create_topic(servers_.brokers(), topic_);
  std::vector<std::string> more = words();
  more.insert(more.end(), {"--drain-timeout", "1h"});
  Program program{more};
  wait_for_the_load(program);
  servers_.freeze("kafka");
  servers_.freeze("redis");
  program.send(SIGINT);
  ASSERT_TRUE(program.wait_for_error("SIGINT: no more is taken"));
  program.send(SIGINT);
  const ProgramEnd end = program.wait();
  servers_.thaw("kafka");
  servers_.thaw("redis");
  EXPECT_EQ(end.exit_code, 130);
  EXPECT_EQ(end.output, "");
}

}  // namespace
}  // namespace dualstream
