#include "report_files.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "metrics.h"
#include "text.h"

namespace dualstream::command {
namespace {

// Of the latency tables of HdrHistogram, whose readers expect it.
constexpr int kTicksPerHalf = 5;

void append_format(std::string& out, const char* format, double a, double b = 0) {
  std::array<char, 96> text{};
  // NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): each caller has a literal.
  std::snprintf(text.data(), text.size(), format, a, b);
  out += text.data();
}

void append_name(std::string& out, std::string_view name) {
  if (out.back() != '{' && out.back() != '[') out += ',';
  append_json_string(out, name);
  out += ':';
}

void append_number(std::string& out, std::string_view name, double value) {
  append_name(out, name);
  append_format(out, value == std::floor(value) ? "%.0f" : "%.6f", value);
}

std::string_view loop_name(LoadLoop loop) {
  switch (loop) {
    case LoadLoop::open:
      return "open";
    case LoadLoop::closed:
      return "closed";
    case LoadLoop::free:
      return "free";
  }
  return {};
}

void append_metrics(std::string& out, const LoadReport& report) {
  const std::vector<MetricInfo> infos = metric_infos();
  const std::vector<std::optional<double>> values = metric_values(report);
  append_name(out, "metrics");
  out += '{';
  for (std::size_t at = 0; at < infos.size(); ++at) {
    if (!values[at]) {
      append_name(out, infos[at].name);
      out += "null";
      continue;
    }
    append_number(out, infos[at].name,
                  infos[at].unit == MetricUnit::duration ? *values[at] / 1e6 : *values[at]);
  }
  out += '}';
}

// Every counter that is not 0, so that histograms of several runs can be merged later.
void append_histograms(std::string& out, const LoadReport& report) {
  append_name(out, "histograms_ns");
  out += '{';
  for (const NamedClock& clock : clocks_of(report)) {
    append_name(out, clock.name);
    out += '[';
    for (const Histogram::Bucket& bucket : clock.histogram->buckets()) {
      if (out.back() != '[') out += ',';
      out += concat({"[", std::to_string(bucket.lowest), ",", std::to_string(bucket.highest), ",",
                     std::to_string(bucket.count), "]"});
    }
    out += ']';
  }
  out += '}';
}

void append_course(std::string& out, const LoadReport& report) {
  const RunCourse course = course_of(report);
  append_name(out, "course");
  out += '{';
  append_number(out, "interval_seconds", course.interval_seconds);
  append_name(out, "rows");
  out += '[';
  for (const IntervalRow& row : course.rows) {
    out += out.back() == '[' ? "{" : ",{";
    append_number(out, "seconds", row.seconds);
    append_number(out, "meant", static_cast<double>(row.meant));
    append_number(out, "sent", static_cast<double>(row.sent));
    append_number(out, "acknowledged", static_cast<double>(row.acknowledged.events));
    append_number(out, "notified", static_cast<double>(row.notified.events));
    append_number(out, "lag_max_ms", row.lag_max_ms);
    append_number(out, "ack_p99_ms",
                  static_cast<double>(row.acknowledged.latency.value_at(0.99)) / 1e6);
    append_number(out, "notify_p99_ms",
                  static_cast<double>(row.notified.latency.value_at(0.99)) / 1e6);
    if (row.memory_bytes > 0) {
      append_number(out, "memory_bytes", static_cast<double>(row.memory_bytes));
    }
    out += '}';
  }
  out += "]}";
}

}  // namespace

Judgement judge(const LoadReport& report, const std::vector<Requirement>& requirements) {
  Judgement judgement;
  const std::vector<std::optional<double>> values = metric_values(report);
  bool all_met = true;
  for (const Requirement& requirement : requirements) {
    const std::optional<double> value = values[requirement.metric];
    const bool met = is_met(requirement, value);
    all_met = all_met && met;
    judgement.requirements.push_back({.text = result_text(requirement, value), .met = met});
  }
  if (!all_delivered(report)) {
    judgement.exit_code = ExitCode::undelivered;
  } else if (!all_met) {
    judgement.exit_code = ExitCode::unmet;
  }
  return judgement;
}

std::string report_json(const LoadReport& report, const Judgement& judgement) {
  std::string out = "{";
  append_name(out, "version");
  out += '1';
  std::array<char, 24> run{};
  std::snprintf(run.data(), run.size(), "%08x", report.run);
  append_name(out, "run");
  append_json_string(out, run.data());
  append_name(out, "loop");
  append_json_string(out, loop_name(report.loop));
  append_name(out, "settings");
  out += '{';
  for (const auto& [name, text] : report.settings) {
    append_name(out, name);
    append_json_string(out, text);
  }
  out += '}';
  append_metrics(out, report);
  append_name(out, "counters");
  out += '{';
  for (const CounterInfo& info : counter_infos()) {
    append_number(out, info.label, static_cast<double>(report.stats[info.counter]));
  }
  out += '}';
  append_name(out, "failures");
  out += '{';
  for (const auto& [reason, count] : report.failures) {
    append_number(out, reason, static_cast<double>(count));
  }
  out += '}';
  append_histograms(out, report);
  append_course(out, report);
  append_name(out, "requirements");
  out += '[';
  for (const Judgement::Result& result : judgement.requirements) {
    out += out.back() == '[' ? "{" : ",{";
    append_name(out, "text");
    append_json_string(out, result.text);
    append_name(out, "met");
    out += result.met ? "true}" : "false}";
  }
  out += ']';
  append_name(out, "verdict");
  out += '[';
  for (const std::string& sentence : verdict(report)) {
    if (out.back() != '[') out += ',';
    append_json_string(out, sentence);
  }
  out += ']';
  append_number(out, "exit_code", static_cast<double>(judgement.exit_code));
  return out + "}\n";
}

RunCourse course_of(const LoadReport& report) {
  TimeSeries<SentCell> sent = report.sent.over_time;
  TimeSeries<LatencyCell> acknowledged = report.acknowledged.over_time();
  TimeSeries<LatencyCell> notified = report.notified.over_time();
  MemoryOverTime memory = report.memory_over_time;
  const auto interval =
      std::max({sent.interval(), acknowledged.interval(), notified.interval(), memory.interval()});
  sent.fold_to(interval);
  acknowledged.fold_to(interval);
  notified.fold_to(interval);
  memory.fold_to(interval);
  RunCourse course{.interval_seconds = std::chrono::duration<double>(interval).count()};
  const std::size_t size =
      std::max({sent.size(), acknowledged.size(), notified.size(), memory.size()});
  for (std::size_t at = 0; at < size; ++at) {
    course.rows.push_back(
        {.seconds = course.interval_seconds * static_cast<double>(at),
         .meant = sent[at].meant,
         .sent = sent[at].sent,
         .lag_max_ms = std::chrono::duration<double, std::milli>(sent[at].lag_max).count(),
         .acknowledged = acknowledged[at],
         .notified = notified[at],
         .memory_bytes = memory[at].bytes});
  }
  return course;
}

std::string report_csv(const LoadReport& report) {
  std::string out =
      "seconds,interval_seconds,meant,sent,acknowledged,notified,lag_max_ms,ack_p50_ms,ack_p99_ms,"
      "ack_max_ms,notify_p50_ms,notify_p99_ms,notify_max_ms,memory_bytes\n";
  const RunCourse course = course_of(report);
  for (const IntervalRow& row : course.rows) {
    append_format(out, "%.1f,%.1f,", row.seconds, course.interval_seconds);
    out += concat({std::to_string(row.meant), ",", std::to_string(row.sent), ",",
                   std::to_string(row.acknowledged.events), ",",
                   std::to_string(row.notified.events), ","});
    append_format(out, "%.3f", row.lag_max_ms);
    for (const LatencyCell* cell : {&row.acknowledged, &row.notified}) {
      const Histogram& latency = cell->latency;
      append_format(out, ",%.3f,%.3f", static_cast<double>(latency.value_at(0.5)) / 1e6,
                    static_cast<double>(latency.value_at(0.99)) / 1e6);
      append_format(out, ",%.3f", static_cast<double>(latency.max()) / 1e6);
    }
    // Empty, not 0, where nobody looked.
    out += concat({",", row.memory_bytes > 0 ? std::to_string(row.memory_bytes) : "", "\n"});
  }
  return out;
}

std::string report_hgrm(const Histogram& histogram) {
  std::string out = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
  const std::vector<Histogram::Bucket> buckets = histogram.buckets();
  const auto total = static_cast<double>(histogram.count());
  double wanted = 0;
  std::uint64_t passed = 0;
  for (const Histogram::Bucket& bucket : buckets) {
    passed += bucket.count;
    const double share = static_cast<double>(passed) / total;
    if (share < wanted) continue;
    const double value = static_cast<double>(std::min(bucket.highest, histogram.max())) / 1e6;
    append_format(out, "%12.6f %2.12f ", value, share);
    append_format(out, "%10.0f", static_cast<double>(passed));
    if (passed < histogram.count()) append_format(out, " %14.2f", 1 / (1 - share));
    out += '\n';
    // The distance to 1 is halved in so many steps, and then again.
    while (wanted <= share && wanted < 1) {
      const double half = std::pow(2, std::floor(std::log2(1 / (1 - wanted))) + 1);
      wanted += 1 / (half * kTicksPerHalf);
      if (half > 1e12) wanted = 1;
    }
  }
  append_format(out, "#[Mean    = %12.6f, StdDeviation   = %12.6f]\n", histogram.mean() / 1e6,
                histogram.deviation() / 1e6);
  append_format(out, "#[Max     = %12.6f, Total count    = %12.0f]\n",
                static_cast<double>(histogram.max()) / 1e6, total);
  append_format(out, "#[Buckets = %12.0f, SubBuckets     = %12.0f]\n", 32, 2048);
  return out;
}

}  // namespace dualstream::command
