#include "load/load_report.h"

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "load/compare.h"
#include "load/report_files.h"
#include "load/report_html.h"
#include "load/report_text.h"

namespace dualstream::command {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::uint64_t& counter(LoadReport& report, Counter which) {
  return report.stats.values[static_cast<std::size_t>(which)];
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text.append(sentence).append("\n");
  return text;
}

// A thousand events at 100/s, acknowledged after 1 to 1,000 ms.
LoadReport good_report() {
  LoadReport report;
  report.settings = {{"rate", "100"}, {"topic", "a <b>"}, {"redis", ""}};
  report.run = 0xabc;
  report.loop = LoadLoop::open;
  report.notifications = true;
  report.subscribed = true;
  for (std::int64_t i = 0; i < 1'000; ++i) {
    const milliseconds meant_at{10 * i};
    report.sent.publish.record(300);
    report.sent.lag.record(20'000);
    report.sent.over_time.at(meant_at).sent += 1;
    report.sent.over_time.at(meant_at).meant += 1;
    report.acknowledged.record(meant_at, meant_at + milliseconds{i + 1});
    report.notified.record(meant_at, meant_at + milliseconds{i + 2});
  }
  report.sent.accepted = report.sent.measured = 1'000;
  report.sent.bytes = 256'000;
  report.received = 1'000;
  for (const Counter which : {Counter::offered, Counter::accepted, Counter::delivered,
                              Counter::announced, Counter::notified}) {
    counter(report, which) = 1'000;
  }
  report.seconds = 10;
  report.cpu_seconds = 0.01;
  report.memory_bytes_peak = 30'000'000;
  report.memory_bytes_bound = 60'000'000;
  report.memory_over_time.at(milliseconds{0}).bytes = 20'000'000;
  report.memory_over_time.at(seconds{5}).bytes = 30'000'000;
  report.verification = Verification{.findings = {.records = 1'000}};
  return report;
}

Judgement judged(const LoadReport& report, const std::vector<std::string>& texts) {
  std::vector<Requirement> requirements;
  const Status status =
      parse_requirements(texts, {.redis = true, .subscribe = true, .verify = true}, requirements);
  EXPECT_TRUE(status.ok()) << status.message;
  return judge(report, requirements);
}

TEST(LoadReportTest, SumsUpAsKafkasOwnToolDoes) {
  EXPECT_EQ(summary_line(good_report()),
            "1000 records sent, 100.000000 records/sec (0.02 MB/sec), 500.50 ms avg latency, "
            "1000.00 ms max latency, 500 ms 50th, 950 ms 95th, 990 ms 99th, 999 ms 99.9th.\n");
}

TEST(LoadReportTest, ShowsThreeClocksAndTheLedger) {
  const std::string text = report_text(good_report());
  for (const char* part :
       {"\npublish()", "\nacknowledged", "\nnotified", "\nsent late by", "meant to be sent",
        "accepted 1,000 = delivered 1,000 + failed 0 + pending 0", "received 1,000", "lost 0",
        "Read back: every acknowledged event is in the topic"}) {
    EXPECT_TRUE(holds(text, part)) << part << "\n" << text;
  }
  EXPECT_FALSE(holds(text, "limit")) << text;
}

TEST(LoadReportTest, SaysWhenTheGeneratorWasTheLimit) {
  LoadReport report = good_report();
  report.sent.late_self = 20;
  EXPECT_TRUE(holds(joined(pace_sentences(report)), "The generator was the limit: it sent 2.0 %"));
  report.sent.late_self = 5;
  EXPECT_TRUE(pace_sentences(report).empty());
  report.loop = LoadLoop::free;
  EXPECT_TRUE(holds(joined(pace_sentences(report)), "publish() never had to wait"));
  report.sent.waits = 1;
  EXPECT_TRUE(pace_sentences(report).empty());
}

TEST(LoadReportTest, SaysWhenKafkaDidNotKeepUp) {
  LoadReport report = good_report();
  report.sent.late_engine = 500;
  report.sent.unsent = 100;
  const std::string text = joined(pace_sentences(report));
  EXPECT_TRUE(holds(text, "Kafka did not keep up with the rate: 45 %")) << text;
  EXPECT_TRUE(holds(text, "100 events were due and not sent")) << text;
  EXPECT_FALSE(holds(text, "The generator")) << text;
}

TEST(LoadReportTest, JudgesByTheSmallestCodeThatApplies) {
  LoadReport report = good_report();
  EXPECT_EQ(judged(report, {"lost==0", "rate>=100", "ack.max<=1s"}).exit_code, ExitCode::ok);
  EXPECT_EQ(judged(report, {"lost==0", "ack.p99<20ms"}).exit_code, ExitCode::unmet);
  report.verification->findings.lost = 1;
  EXPECT_EQ(judged(report, {"lost==0"}).exit_code, ExitCode::undelivered);
  report = good_report();
  report.verification->error = "no broker";
  EXPECT_EQ(judged(report, {}).exit_code, ExitCode::undelivered);
  EXPECT_FALSE(judged(report, {"lost==0"}).requirements.front().met);
  report = good_report();
  counter(report, Counter::failed) = 1;
  report.failures = {{"timed_out", 1}};
  EXPECT_EQ(judged(report, {}).exit_code, ExitCode::undelivered);
  EXPECT_TRUE(holds(joined(verdict(report)), "1 event was not delivered (timed_out 1)"));
}

TEST(LoadReportTest, TellsOfNotificationsThatDidNotComeAndDoesNotFailForThem) {
  LoadReport report = good_report();
  report.received = 900;
  counter(report, Counter::dropped_overflow) = 7;
  report.subscription_losses = 1;
  const std::string text = joined(verdict(report));
  EXPECT_TRUE(holds(text, "7 notifications did not get through to Redis.")) << text;
  EXPECT_TRUE(holds(text, "missed 100 of 1,000 that did; it lost its connection 1 time.")) << text;
  EXPECT_EQ(judged(report, {}).exit_code, ExitCode::ok);
  EXPECT_EQ(judged(report, {"missed==0"}).exit_code, ExitCode::unmet);
}

TEST(LoadReportTest, IsWrittenAsJson) {
  const LoadReport report = good_report();
  const json parsed = json::parse(report_json(report, judged(report, {"lost==0", "rate>1M"})));
  EXPECT_EQ(parsed["version"], 1);
  EXPECT_EQ(parsed["run"], "00000abc");
  EXPECT_EQ(parsed["settings"]["topic"], "a <b>");
  EXPECT_NEAR(parsed["metrics"]["ack.p50"].get<double>(), 500, 0.5);
  EXPECT_EQ(parsed["metrics"]["rate"], 100);
  EXPECT_EQ(parsed["metrics"]["cpu"], 0.01);
  EXPECT_EQ(parsed["counters"]["delivered"], 1'000);
  EXPECT_EQ(parsed["requirements"][0]["met"], true);
  EXPECT_EQ(parsed["requirements"][1]["met"], false);
  EXPECT_EQ(parsed["exit_code"], 7);
  std::uint64_t count = 0;
  for (const json& bucket : parsed["histograms_ns"]["ack"]) {
    count += bucket[2].get<std::uint64_t>();
  }
  EXPECT_EQ(count, 1'000U);
  std::uint64_t sent = 0;
  for (const json& row : parsed["course"]["rows"]) sent += row["sent"].get<std::uint64_t>();
  EXPECT_EQ(sent, 1'000U);
  EXPECT_EQ(parsed["course"]["rows"][0]["memory_bytes"], 20'000'000);
  EXPECT_FALSE(parsed["course"]["rows"][1].contains("memory_bytes")) << "nobody looked";
  EXPECT_EQ(parsed["metrics"]["memory_bound"], 60'000'000);
}

TEST(LoadReportTest, HasNoValueForWhatWasNotMeasured) {
  LoadReport report = good_report();
  report.subscribed = report.notifications = false;
  report.notified = LatencyRecorder{};
  report.verification.reset();
  const json metrics = json::parse(report_json(report, {}))["metrics"];
  for (const char* name : {"notify.p99", "notify.count", "received", "dropped", "lost"}) {
    EXPECT_TRUE(metrics[name].is_null()) << name;
  }
}

TEST(LoadReportTest, IsWrittenAsCsvARowAnInterval) {
  std::istringstream lines{report_csv(good_report())};
  std::string head;
  std::getline(lines, head);
  const auto commas = std::count(head.begin(), head.end(), ',');
  std::size_t rows = 0;
  for (std::string line; std::getline(lines, line); ++rows) {
    EXPECT_EQ(line.ends_with(",30000000"), rows == 50) << line;
    EXPECT_EQ(std::count(line.begin(), line.end(), ','), commas) << line;
  }
  EXPECT_EQ(rows, 110U);  // The last notification came after 10.991 s.
}

TEST(LoadReportTest, IsWrittenAsHgrm) {
  std::istringstream lines{report_hgrm(good_report().acknowledged.histogram())};
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "       Value     Percentile TotalCount 1/(1-Percentile)");
  std::getline(lines, line);
  double before = 0;
  double value = 0;
  double share = 0;
  std::uint64_t total = 0;
  std::size_t rows = 0;
  for (; std::getline(lines, line) && !line.starts_with('#'); ++rows) {
    std::istringstream{line} >> value >> share >> total;
    EXPECT_GT(share, before);
    // Of 1 to 1,000 ms each value is its own share.
    EXPECT_NEAR(value, share * 1'000, 1) << line;
    before = share;
  }
  EXPECT_GT(rows, 30U);
  EXPECT_EQ(share, 1);
  EXPECT_EQ(total, 1'000U);
  EXPECT_EQ(value, 1'000);
  EXPECT_TRUE(holds(line, "#[Mean    =   500.5"));
}

TEST(LoadReportTest, IsWrittenAsAPageThatLoadsNothing) {
  const LoadReport report = good_report();
  const std::string page = report_html(report, judged(report, {"ack.p99<20ms"}));
  std::size_t plots = 0;
  for (std::size_t at = page.find("<svg"); at != std::string::npos;
       at = page.find("<svg", at + 1)) {
    ++plots;
  }
  EXPECT_EQ(plots, 4U);
  EXPECT_TRUE(holds(page, "a &lt;b&gt;"));
  EXPECT_TRUE(holds(page, "not met: ack.p99&lt;20ms"));
  for (const char* part : {"http:", "https:", "<script", "<link", "src=", "nan", "inf"}) {
    EXPECT_FALSE(holds(page, part)) << part;
  }
}

TEST(LoadReportTest, CanBeWrittenWhenNothingWasMeasured) {
  const LoadReport nothing;
  EXPECT_TRUE(json::accept(report_json(nothing, judge(nothing, {}))));
  EXPECT_TRUE(holds(report_text(nothing), "No event was sent."));
  EXPECT_FALSE(holds(report_html(nothing, {}), "nan"));
  EXPECT_TRUE(holds(report_hgrm(nothing.sent.publish), "Total count    =            0"));
  EXPECT_TRUE(holds(report_csv(nothing), "seconds,"));
}

// ---- Comparison

TEST(LoadCompareTest, SetsTwoRunsSideBySide) {
  const LoadReport a = good_report();
  LoadReport b = good_report();
  b.seconds = 5;
  b.settings[0].second = "200";
  std::string table;
  const Status status = compare_runs("a.json", report_json(a, judge(a, {})), "b.json",
                                     report_json(b, judge(b, {})), table);
  ASSERT_TRUE(status.ok()) << status.message;
  EXPECT_TRUE(holds(table, "Asked for differently (A, B):\n  rate: 100, 200\n")) << table;
  EXPECT_FALSE(holds(table, "topic")) << table;
  std::istringstream lines{table};
  std::string rate;
  std::string ack;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("rate ")) rate = line;
    if (line.starts_with("ack.p50 ")) ack = line;
  }
  EXPECT_TRUE(holds(rate, "100/s") && holds(rate, "200/s") && rate.ends_with(" 2.00")) << table;
  EXPECT_TRUE(ack.ends_with(" 1.00")) << table;
}

TEST(LoadCompareTest, RefusesWhatIsNoRun) {
  const std::string good = report_json(good_report(), {});
  std::string table;
  for (const std::string bad : {"", "[]", "{}", "{\"metrics\":{}}", "{\"metrics\":"}) {
    const Status status = compare_runs("good", good, "bad", bad, table);
    EXPECT_FALSE(status.ok()) << bad;
    EXPECT_TRUE(status.message.starts_with("bad ")) << status.message;
  }
}

}  // namespace
}  // namespace dualstream::command
