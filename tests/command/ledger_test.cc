#include "ledger.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace dualstream::command {
namespace {

void set(RunReport& report, Counter counter, std::uint64_t value) {
  report.stats.values[static_cast<std::size_t>(counter)] = value;
}

// The sentences, each with a newline.
std::string verdict_text(const RunReport& report) {
  std::string text;
  for (const std::string& sentence : verdict(report)) text += sentence + '\n';
  return text;
}

// A run in which all went well.
RunReport good_run() {
  RunReport report;
  report.intake = {.lines = 1'022, .blank = 0, .bytes = 2'122'300, .left = 0};
  report.seconds = 0.41;
  report.notifications = true;
  for (const Counter counter :
       {Counter::offered, Counter::accepted, Counter::delivered, Counter::announced}) {
    set(report, counter, 1'022);
  }
  set(report, Counter::notified, 1'020);
  set(report, Counter::dropped_overflow, 2);
  set(report, Counter::frames, 311);
  set(report, Counter::receivers, 12);
  return report;
}

TEST(LedgerTest, AccountsForEveryLineAndEvent) {
  EXPECT_EQ(ledger_text(good_run()),
            "lines 1,022   bad 0   blank 0\n"
            "offered 1,022 = accepted 1,022 + refused 0\n"
            "accepted 1,022 = delivered 1,022 + failed 0 + pending 0\n"
            "announced 1,022 = notified 1,020 + dropped 2 (overflow 2) + unconfirmed 0 + pending "
            "0\n"
            "frames 311 (3.3 notifications each), received 12 times\n"
            "2.1 MB in 0.41 s: 2,492 events/s acknowledged\n"
            "Every event is in Kafka.\n"
            "2 notifications did not get through to Redis; subscribers find the events in "
            "Kafka.\n");
  EXPECT_EQ(exit_code_of(good_run()), ExitCode::ok);
}

TEST(LedgerTest, SaysNothingOfNotificationsWhenThereAreNone) {
  RunReport report = good_run();
  report.notifications = false;
  EXPECT_EQ(ledger_text(report).find("announced"), std::string::npos);
}

TEST(LedgerTest, NamesWhatWasRefusedAndWhy) {
  RunReport report = good_run();
  set(report, Counter::offered, 1'030);
  set(report, Counter::refused_full, 5);
  set(report, Counter::refused_invalid, 3);
  report.bad = 3;
  report.bad_reasons = {{"/id is missing", 2}, {"not valid JSON", 1}};
  const std::string text = ledger_text(report);
  EXPECT_NE(text.find("refused 8 (full 5, invalid 3)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("bad 3 (/id is missing 2, not valid JSON 1)   blank"), std::string::npos)
      << text;
  EXPECT_NE(text.find("3 bad lines were skipped; --bad-file FILE would keep them.\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(exit_code_of(report), ExitCode::ok);
}

TEST(LedgerTest, SaysWhatToDoAboutEventsThatFailed) {
  RunReport report = good_run();
  set(report, Counter::dropped_overflow, 0);
  set(report, Counter::delivered, 1'012);
  set(report, Counter::failed, 10);
  set(report, Counter::failed_maybe_persisted, 4);
  report.failures = {{"timed_out", 10}};
  EXPECT_EQ(verdict_text(report),
            "6 events are not in Kafka. 4 events may or may not be in Kafka. Publish those lines "
            "again; --dead-letter FILE would have kept them for that.\n");
  EXPECT_EQ(exit_code_of(report), ExitCode::undelivered);

  report.dead_letter_file = "dead.ndjson";
  EXPECT_EQ(verdict_text(report),
            "6 events are not in Kafka. 4 events may or may not be in Kafka. Publish what is saved "
            "again: dualstream ingest --from-dead-letter dead.ndjson ...\n");

  report.unsaved = 10;
  EXPECT_EQ(verdict_text(report),
            "6 events are not in Kafka. 4 events may or may not be in Kafka. 10 of them could not "
            "be saved in dead.ndjson: publish their lines again.\n");

  report.checkpoint_file = "state";
  EXPECT_EQ(verdict_text(report),
            "6 events are not in Kafka. 4 events may or may not be in Kafka. The same command "
            "publishes them again, because state stands before them.\n");
  report.unsaved = 3;
  EXPECT_EQ(verdict_text(report),
            "6 events are not in Kafka. 4 events may or may not be in Kafka. 3 of them were left: "
            "the same command publishes them again, because state stands before them. Publish what "
            "is saved again: dualstream ingest --from-dead-letter dead.ndjson ...\n");
}

TEST(LedgerTest, SaysWhereAnInputGoesOnAfterASignal) {
  RunReport report = good_run();
  set(report, Counter::dropped_overflow, 0);
  report.stop_reason = StopReason::signal;
  report.unfinished = {{.name = "a\x1b.ndjson", .next_line = 1'234}};
  EXPECT_EQ(verdict_text(report),
            "Every event is in Kafka.\nStopped by a signal.\na\\x1b.ndjson goes on at line "
            "1,234.\n");
  EXPECT_EQ(exit_code_of(report), ExitCode::ok);
}

TEST(LedgerTest, NamesTheInputsThatWereBegunAndCountsTheRestOfMany) {
  RunReport report = good_run();
  report.stop_reason = StopReason::signal;
  for (int i = 0; i < 20; ++i) report.unfinished.push_back({.name = "f" + std::to_string(i)});
  report.unfinished[15].next_line = 7;
  const std::string text = verdict(report).back();
  EXPECT_TRUE(text.starts_with("f15 goes on at line 7. f0 goes on at line 1. ")) << text;
  EXPECT_TRUE(text.ends_with(" So do 12 more inputs, which --json lists.")) << text;
}

TEST(LedgerTest, TakesTheSmallestExitCodeThatApplies) {
  RunReport report = good_run();
  report.output_failed = true;
  EXPECT_EQ(exit_code_of(report), ExitCode::output_failed);
  report.input_errors = {"cannot read x: Input/output error"};
  EXPECT_EQ(exit_code_of(report), ExitCode::input_failed);
  report.stop_reason = StopReason::too_many_bad;
  EXPECT_EQ(exit_code_of(report), ExitCode::too_many_bad);
  report.intake.left = 1;
  EXPECT_EQ(exit_code_of(report), ExitCode::undelivered);
}

TEST(LedgerTest, CallsALineThatOnlyThePipeHadUndelivered) {
  RunReport report = good_run();
  set(report, Counter::dropped_overflow, 0);
  report.intake.left = 2;
  EXPECT_EQ(verdict_text(report),
            "2 lines that were read from a pipe could not be published any more.\n");
  EXPECT_EQ(exit_code_of(report), ExitCode::undelivered);
}

TEST(LedgerTest, DoesNotClaimWhatDidNotHappen) {
  const RunReport nothing;
  EXPECT_EQ(verdict_text(nothing), "There was no event to publish.\n");
  EXPECT_EQ(exit_code_of(nothing), ExitCode::ok);
}

TEST(LedgerTest, GivesTheSameFiguresAsOneJsonObject) {
  RunReport report = good_run();
  report.bad = 3;
  report.bad_reasons = {{"quote \" and \x01", 3}};
  report.stop_reason = StopReason::signal;
  report.unfinished = {{.name = "a", .next_line = 7}, {.name = "b", .next_line = 1}};
  report.input_errors = {"cannot read c"};
  const std::string text = ledger_json(report);
  EXPECT_EQ(text.find('\n'), text.size() - 1);

  simdjson::dom::parser parser;
  const simdjson::dom::element json = parser.parse(text);
  EXPECT_EQ(std::uint64_t{json["lines"]}, 1'022U);
  EXPECT_EQ(double{json["seconds"]}, 0.41);
  EXPECT_EQ(std::uint64_t{json["events_per_second"]}, 2'492U);
  for (const CounterInfo& info : counter_infos()) {
    EXPECT_EQ(std::uint64_t{json["counters"][info.label]}, report.stats[info.counter])
        << info.label;
  }
  EXPECT_EQ(std::uint64_t{json["bad_by_reason"]["quote \" and \x01"]}, 3U);
  EXPECT_EQ(std::string_view{json["ended_by"]}, "signal");
  EXPECT_EQ(std::uint64_t{json["unfinished"].at(0)["next_line"]}, 7U);
  EXPECT_EQ(std::string_view{json["unfinished"].at(1)["input"]}, "b");
  EXPECT_EQ(std::string_view{json["input_errors"].at(0)}, "cannot read c");
  EXPECT_EQ(std::uint64_t{json["exit_code"]}, 5U);
}

}  // namespace
}  // namespace dualstream::command
