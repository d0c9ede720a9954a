#include "load/requirement.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

constexpr Measured kAll{.redis = true, .subscribe = true, .verify = true};

Requirement parsed(const std::string& text) {
  Requirement requirement;
  const Status status = parse_requirement(text, requirement);
  EXPECT_TRUE(status.ok()) << status.message;
  return requirement;
}

std::string error_of(const std::string& text, const Measured& measured = kAll) {
  std::vector<Requirement> requirements;
  return parse_requirements({text}, measured, requirements).message;
}

TEST(RequirementTest, ReadsMetricOperatorAndValue) {
  const Requirement requirement = parsed("ack.p99<20ms");
  EXPECT_EQ(metric_infos()[requirement.metric].name, "ack.p99");
  EXPECT_EQ(requirement.comparison, Comparison::less);
  EXPECT_EQ(requirement.limit, 20e6);
  EXPECT_EQ(parsed(" publish.p99.9 <= 1.5us ").limit, 1'500);
  EXPECT_EQ(parsed("notify.max<2s").limit, 2e9);
  EXPECT_EQ(parsed("lag.p50<0").limit, 0);
  EXPECT_EQ(parsed("rate>=9.9k").limit, 9'900);
  EXPECT_EQ(parsed("delivered==2M").limit, 2e6);
  EXPECT_EQ(parsed("memory<64MiB").limit, 64.0 * 1024 * 1024);
  EXPECT_EQ(parsed("lost==0").comparison, Comparison::equal);
  EXPECT_EQ(parsed("lost!=0").comparison, Comparison::different);
  EXPECT_EQ(parsed("rate>1").comparison, Comparison::more);
}

TEST(RequirementTest, NamesTheNearestMetricOfOneThatIsNone) {
  EXPECT_EQ(error_of("akc.p99.9<20ms"),
            "--require akc.p99.9<20ms: nothing called `akc.p99.9` is measured; did you mean "
            "`ack.p99.9`?");
  EXPECT_NE(error_of("lots==0").find("did you mean `lost`?"), std::string::npos);
}

TEST(RequirementTest, SaysWhatIsWrong) {
  EXPECT_NE(error_of("ack.p99"), "");
  EXPECT_NE(error_of("ack.p99<"), "");
  EXPECT_NE(error_of(""), "");
  EXPECT_NE(error_of("lost=0").find("`=` is none of"), std::string::npos);
  EXPECT_NE(error_of("lost=<0").find("`=<` is none of"), std::string::npos);
  EXPECT_NE(error_of("ack.p99<20").find("a duration with its unit"), std::string::npos);
  EXPECT_NE(error_of("lost==many").find("a number"), std::string::npos);
  EXPECT_NE(error_of("lost==-1").find("a number"), std::string::npos);
  EXPECT_NE(error_of("memory<1 elephant").find("a number of bytes"), std::string::npos);
}

TEST(RequirementTest, AsksForWhatHasToBeMeasured) {
  EXPECT_EQ(error_of("lost==0", {.redis = true, .subscribe = true}),
            "--require lost==0: it needs --verify");
  EXPECT_EQ(error_of("notify.p99<1s", {.redis = true, .verify = true}),
            "--require notify.p99<1s: it needs --subscribe");
  EXPECT_EQ(error_of("dropped==0", {.verify = true}), "--require dropped==0: it needs --redis");
  EXPECT_EQ(error_of("ack.p99<1s", {}), "");
}

TEST(RequirementTest, ComparesInEachWay) {
  struct Case {
    std::string text;
    bool below, same, above;  // Whether 4, 5 and 6 meet it.
  };
  for (const Case& one :
       {Case{"failed<5", true, false, false}, Case{"failed<=5", true, true, false},
        Case{"failed>5", false, false, true}, Case{"failed>=5", false, true, true},
        Case{"failed==5", false, true, false}, Case{"failed!=5", true, false, true}}) {
    const Requirement requirement = parsed(one.text);
    EXPECT_EQ(is_met(requirement, 4), one.below) << one.text;
    EXPECT_EQ(is_met(requirement, 5), one.same) << one.text;
    EXPECT_EQ(is_met(requirement, 6), one.above) << one.text;
  }
}

TEST(RequirementTest, IsNotMetByAValueThatIsNotThere) {
  for (const std::string text : {"ack.p99<20ms", "lost==0", "rate!=0"}) {
    EXPECT_FALSE(is_met(parsed(text), std::nullopt));
  }
  EXPECT_EQ(result_text(parsed("ack.p99<20ms"), std::nullopt),
            "ack.p99<20ms: nothing was measured");
  EXPECT_EQ(result_text(parsed("ack.p99<20ms"), 31.2e6), "ack.p99<20ms: it is 31.20 ms");
}

TEST(MetricsTest, HaveAsManyNamesAsValuesAndEachOnce) {
  const std::vector<MetricInfo> infos = metric_infos();
  const LoadReport nothing;
  EXPECT_EQ(infos.size(), metric_values(nothing).size());
  for (const MetricInfo& info : infos) {
    const auto same = [&info](const MetricInfo& other) { return other.name == info.name; };
    EXPECT_EQ(std::count_if(infos.begin(), infos.end(), same), 1) << info.name;
    EXPECT_TRUE(info.help.ends_with('.')) << info.name;
  }
}

}  // namespace
}  // namespace dualstream::command
