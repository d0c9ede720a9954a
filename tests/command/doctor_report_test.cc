#include "doctor_report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "network_probe.h"

namespace dualstream::command {
namespace {

DoctorReport good() {
  return {{.question = "kafka.connect", .answer = "h:1 (10.0.0.1) in 0.4 ms"},
          {.question = "redis.clock", .answer = "0.001 s ahead of ours"}};
}

TEST(DoctorReportTest, IsATableWithWhatToDo) {
  DoctorReport report = good();
  EXPECT_EQ(doctor_text(report),
            "ok       kafka.connect  h:1 (10.0.0.1) in 0.4 ms\n"
            "ok       redis.clock    0.001 s ahead of ours\n"
            "All is well.\n");
  report[1] = {.verdict = Verdict::warning,
               .question = "redis.clock",
               .answer = "9 s\x1b off",
               .fix = "Set both clocks."};
  EXPECT_EQ(doctor_text(report),
            "ok       kafka.connect  h:1 (10.0.0.1) in 0.4 ms\n"
            "warning  redis.clock    9 s\\x1b off\n"
            "                        -> Set both clocks.\n"
            "0 failed, 1 warning. Events can be published.\n");
}

TEST(DoctorReportTest, EndsWithWhatFailed) {
  DoctorReport report = good();
  EXPECT_EQ(exit_code_of(report), ExitCode::ok);
  report[1].verdict = Verdict::warning;
  EXPECT_EQ(exit_code_of(report), ExitCode::ok);
  report[1].verdict = Verdict::failed;
  EXPECT_EQ(exit_code_of(report), ExitCode::undelivered);
  EXPECT_TRUE(doctor_text(report).ends_with(
      "1 failed, 0 warnings. Events can be published; notifications cannot.\n"));
  report[0].verdict = Verdict::failed;
  EXPECT_EQ(exit_code_of(report), ExitCode::unreachable);
  EXPECT_TRUE(doctor_text(report).ends_with("2 failed, 0 warnings. Events cannot be published.\n"));
}

TEST(DoctorReportTest, IsJsonToo) {
  DoctorReport report = good();
  report[0] = {
      .verdict = Verdict::failed, .question = "kafka.open", .answer = "\"no\"", .fix = "do"};
  const nlohmann::json json = nlohmann::json::parse(doctor_json(report));
  EXPECT_EQ(json["exit_code"], 3);
  EXPECT_EQ(json["checks"].size(), 2U);
  EXPECT_EQ(json["checks"][0]["verdict"], "failed");
  EXPECT_EQ(json["checks"][0]["answer"], "\"no\"");
  EXPECT_EQ(json["checks"][0]["fix"], "do");
  EXPECT_EQ(json["checks"][1]["verdict"], "ok");
}

TEST(NetworkProbeTest, TakesAddressesApart) {
  const auto text = [](const std::string& list) {
    std::string all;
    for (const HostPort& place : host_ports(list, "9092"))
      all += place.host + "|" + place.port + " ";
    return all;
  };
  EXPECT_EQ(text("a:1,b"), "a|1 b|9092 ");
  EXPECT_EQ(text("SASL_SSL://a:1, [::1]:2,[fe80::1]"), "a|1 ::1|2 fe80::1|9092 ");
  EXPECT_EQ(text(""), "");
}

TEST(NetworkProbeTest, SaysWhatCannotBeFoundAndWhatDoesNotAnswer) {
  DoctorReport report;
  EXPECT_FALSE(check_network({{.host = "127.0.0.1", .port = "1"}}, "kafka",
                             std::chrono::milliseconds{500}, report));
  ASSERT_EQ(report.size(), 2U);
  EXPECT_EQ(report[0].answer, "127.0.0.1 is 127.0.0.1");
  EXPECT_EQ(report[1].question, "kafka.connect");
  EXPECT_EQ(report[1].verdict, Verdict::failed);
  EXPECT_EQ(report[1].answer, "127.0.0.1:1: 127.0.0.1: Connection refused");
  report.clear();
  EXPECT_FALSE(check_network({{.host = "no-such-host.invalid", .port = "1"}}, "kafka",
                             std::chrono::milliseconds{500}, report));
  ASSERT_EQ(report.size(), 1U);
  EXPECT_EQ(report[0].question, "kafka.resolve");
  EXPECT_EQ(report[0].verdict, Verdict::failed);
}

}  // namespace
}  // namespace dualstream::command
