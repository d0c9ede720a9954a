// The Prometheus text, held to its format, to promtool where that is installed, and to
// docs/metrics.md.
#include "dualstream/metrics.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/command.h"
#include "support/prometheus_format.h"
#include "support/servers.h"

namespace dualstream {
namespace {

Stats some_stats() {
  Stats stats;
  for (std::size_t i = 0; i < stats.values.size(); ++i) stats.values[i] = 1'000 + i;
  stats.publish_to_acknowledged.counts[10] = 7;
  stats.publish_to_acknowledged.counts[100] = 5;
  stats.publish_to_acknowledged.counts[Latencies::kBuckets - 1] = 1;
  stats.publish_to_acknowledged.sum_ns = 1'500'000'001;
  return stats;
}

Health some_health() {
  Health health;
  health.kafka = KafkaHealth::up;
  health.redis = RedisHealth::lost;
  return health;
}

std::string read_file(const std::string& path) {
  std::ifstream file{path};
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(MetricsTest, AreInThePrometheusTextFormat) {
  EXPECT_EQ(testing::prometheus_format_error(prometheus_text(Stats{})), "");
  EXPECT_EQ(testing::prometheus_format_error(prometheus_text(some_stats(), some_health())), "");
}

// The checker itself has to object.
TEST(PrometheusFormatTest, ObjectsToWhatIsNotTheFormat) {
  const std::string head = "# HELP a_total h\n# TYPE a_total counter\n";
  EXPECT_EQ(testing::prometheus_format_error(head + "a_total 1\n"), "");
  EXPECT_EQ(testing::prometheus_format_error(head + "a_total{b=\"c\\\"\",d=\"\"} 1\n"), "");
  for (const std::string bad : {
           "a_total 1",
           "a_total\n",
           "a_total 1 \n",
           "a_total x\n",
           "a_total 1.5\n",
           "b_total 1\n",
           "a_total{b} 1\n",
           "a_total{b=\"c} 1\n",
           "a_total{b=\"\\c\"} 1\n",
           "1a_total 1\n",
           "a_total 1\na_total 1\n",
           "a_total 1\n\n",
           "a_total 1\n# TYPE a_total gauge\n",
           "a_total 1\n# HELP a_total h\n",
           "# a_total\n",
           "",
       }) {
    EXPECT_NE(testing::prometheus_format_error(head + bad), "") << bad;
  }
  const std::string h = "# HELP h x\n# TYPE h histogram\n";
  EXPECT_EQ(testing::prometheus_format_error(
                h + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n"),
            "");
  for (const std::string bad :
       {"h_bucket{le=\"1\"} 1\nh_sum 3\nh_count 1\n",
        "h_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
        "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 2\nh_count 2\n",
        "h_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 3\n", "h_bucket 1\n", "h 1\n"}) {
    EXPECT_NE(testing::prometheus_format_error(h + bad), "") << bad;
  }
}

TEST(MetricsTest, PromtoolAgrees) {
  const std::string path =
      std::filesystem::temp_directory_path() / testing::unique_name("dualstream-metrics");
  std::ofstream{path} << prometheus_text(some_stats(), some_health());
  const auto checked = testing::run_command(
      {"sh", "-c",
       "command -v promtool >/dev/null || { echo absent; exit 0; }; promtool check metrics < " +
           path + " 2>&1"});
  std::filesystem::remove(path);
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
  if (checked.output.starts_with("absent")) {
    std::printf(
        "\n*** promtool is not installed, so it was NOT asked; tools/deps --workshop ***\n");
    return;
  }
  EXPECT_EQ(checked.output, "") << "promtool finds no fault, of style either";
}

TEST(MetricsTest, EveryCounterIsThereWithItsValueHelpAndType) {
  const Stats stats = some_stats();
  const std::string text = prometheus_text(stats);
  for (const CounterInfo& info : counter_infos()) {
    const std::string labels =
        info.reason.empty() ? "" : "{reason=\"" + std::string{info.reason} + "\"}";
    const std::string sample =
        "\n" + std::string{info.metric} + labels + " " + std::to_string(stats[info.counter]) + "\n";
    EXPECT_NE(text.find(sample), std::string::npos) << sample;
    EXPECT_NE(text.find("# HELP " + std::string{info.metric} + " "), std::string::npos);
    EXPECT_NE(
        text.find("# TYPE " + std::string{info.metric} + (info.gauge ? " gauge\n" : " counter\n")),
        std::string::npos)
        << info.metric;
    EXPECT_EQ(info.metric.ends_with("_total"), !info.gauge) << info.metric;
  }
}

TEST(MetricsTest, AHistogramCountsUpToEachBound) {
  const std::string text = prometheus_text(some_stats());
  const std::string name = "\ndualstream_publish_to_acknowledged_seconds";
  EXPECT_NE(text.find(name + "_bucket{le=\"0.000064\"} 7\n"), std::string::npos) << text;
  EXPECT_NE(text.find(name + "_bucket{le=\"134.217728\"} 12\n"), std::string::npos);
  EXPECT_NE(text.find(name + "_bucket{le=\"+Inf\"} 13\n"), std::string::npos);
  EXPECT_NE(text.find(name + "_sum 1.500000001\n"), std::string::npos);
  EXPECT_NE(text.find(name + "_count 13\n"), std::string::npos);
}

TEST(MetricsTest, HealthIsZeroOrOneAndRedisAbsentWhereThereIsNone) {
  const std::string lost = prometheus_text(Stats{}, some_health());
  EXPECT_NE(lost.find("\ndualstream_kafka_up 1\n"), std::string::npos);
  EXPECT_NE(lost.find("\ndualstream_redis_up 0\n"), std::string::npos);
  Health health;
  health.kafka = KafkaHealth::unauthorized;
  const std::string off = prometheus_text(Stats{}, health);
  EXPECT_NE(off.find("\ndualstream_kafka_up 0\n"), std::string::npos);
  EXPECT_EQ(off.find("dualstream_redis_up"), std::string::npos);
}

TEST(MetricsTest, HealthIsToldInALine) {
  Health health = some_health();
  EXPECT_TRUE(health.ok());
  health.redis_reason = "Connection refused";
  EXPECT_EQ(health.text(), "ok; redis: lost (Connection refused)");
  health.kafka = KafkaHealth::unreachable;
  health.stopping = true;
  EXPECT_FALSE(health.ok());
  EXPECT_EQ(health.text(), "stopping; kafka: unreachable; redis: lost (Connection refused)");
}

// Rows of docs/metrics.md: `label` | `dualstream_name{reason="x"}` | ...
std::map<std::string, std::string> documented(const std::string& text) {
  std::map<std::string, std::string> rows;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> quoted;
    for (std::size_t at = 0; (at = line.find('`', at)) != std::string::npos;) {
      const std::size_t end = line.find('`', at + 1);
      if (end == std::string::npos) break;
      quoted.push_back(line.substr(at + 1, end - at - 1));
      at = end + 1;
    }
    if (line.starts_with("| `") && quoted.size() >= 2 && quoted[1].starts_with("dualstream_")) {
      EXPECT_TRUE(rows.emplace(quoted[0], quoted[1]).second) << quoted[0] << " stands twice";
    }
  }
  return rows;
}

TEST(MetricsTest, TheDocumentListsExactlyWhatIsWritten) {
  std::map<std::string, std::string> rows =
      documented(read_file(DUALSTREAM_SOURCE_DIR_BUILT "/docs/metrics.md"));
  std::set<std::string> families;
  for (const auto& [label, metric] : rows) families.insert(metric.substr(0, metric.find('{')));
  for (const MetricFamily& family : metric_families()) {
    EXPECT_EQ(families.erase(std::string{family.name}), 1U)
        << family.name << " is not in docs/metrics.md";
  }
  EXPECT_TRUE(families.empty()) << *families.begin() << " is in docs/metrics.md and nowhere else";
  for (const CounterInfo& info : counter_infos()) {
    std::string metric{info.metric};
    if (!info.reason.empty()) metric += "{reason=\"" + std::string{info.reason} + "\"}";
    const auto row = rows.find(std::string{info.label});
    ASSERT_NE(row, rows.end()) << info.label << " is not in docs/metrics.md";
    EXPECT_EQ(row->second, metric) << info.label;
    rows.erase(row);
  }
  for (const auto& [label, metric] : rows) {
    EXPECT_TRUE(metric.find("_seconds") != std::string::npos || metric.ends_with("_up"))
        << label << " is in docs/metrics.md and is no counter";
  }
}

}  // namespace
}  // namespace dualstream
