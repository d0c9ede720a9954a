#include "report_html.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "metrics.h"
#include "report_text.h"
#include "svg_plot.h"
#include "text.h"

namespace dualstream::command {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>dualstream load</title>
<style>
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60666d; --line: #d9dce0; --page: #fff;
  --publish: #7b5cc9; --ack: #1f6fd6; --notify: #c8620a; --good: #1a7f4b; --bad: #c0322b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa0a8; --line: #3a3f45;
  --page: #15181b; --publish: #a88df0; --ack: #6aa9f7; --notify: #f0984c; --good: #5cc58f;
  --bad: #f2827c; } }
body { margin: 2rem auto; max-width: 56rem; padding: 0 1rem; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .4rem; }
p { margin: .3rem 0; } .soft { color: var(--soft); } .bad { color: var(--bad); }
.good { color: var(--good); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem .25rem 0; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 500; }
td.text { white-space: normal; text-align: left; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; display: block; } svg text { font-size: 12px; fill: var(--soft); }
.grid { stroke: var(--line); stroke-width: 1; }
polyline, line.publish, line.ack, line.notify, line.meant, line.ack50, line.notify50 { fill: none;
  stroke-width: 2; }
.publish { stroke: var(--publish); } .ack, .ack50 { stroke: var(--ack); }
.notify, .notify50 { stroke: var(--notify); } .meant { stroke: var(--soft); }
.meant, .ack50, .notify50 { stroke-dasharray: 5 4; }
pre { overflow-x: auto; font-size: 12.5px; }
</style></head><body>
)";

double ms(std::uint64_t ns) { return static_cast<double>(ns) / 1e6; }

std::string_view clock_about(std::string_view clock) {
  if (clock == "publish") return "publish() call";
  if (clock == "ack") return "acknowledged by Kafka";
  if (clock == "notify") return "notification received";
  return "sent late by";
}

// x is the number of nines: 1 is 90 %, 2 is 99 %.
PlotSeries percentile_line(const NamedClock& clock) {
  PlotSeries series{
      .name = std::string{clock_about(clock.name)}, .style = std::string{clock.name}, .points = {}};
  const Histogram& histogram = *clock.histogram;
  const auto total = static_cast<double>(histogram.count());
  std::uint64_t passed = 0;
  double last = -1;
  for (const Histogram::Bucket& bucket : histogram.buckets()) {
    passed += bucket.count;
    const double value = ms(std::min(bucket.highest, histogram.max()));
    const bool is_last = passed == histogram.count();
    const double nines =
        is_last ? std::log10(total) : -std::log10(1 - static_cast<double>(passed) / total);
    // More points than pixels would only make the page larger.
    if (!is_last && nines - last < 0.01) continue;
    series.points.emplace_back(nines, value);
    last = nines;
  }
  return series;
}

std::string percentile_plot(const LoadReport& report) {
  static const std::array<PlotTick, 7> kTicks{{{0, "0 %"},
                                               {0.30103, "50 %"},
                                               {1, "90 %"},
                                               {2, "99 %"},
                                               {3, "99.9 %"},
                                               {4, "99.99 %"},
                                               {5, "99.999 %"}}};
  PlotOptions options{.title = "Latency by percentile",
                      .x_title = "share of the events that are at least as fast",
                      .y_title = "latency",
                      .y_latency = true,
                      .x_ticks = {kTicks.begin(), kTicks.end()}};
  std::vector<PlotSeries> series;
  for (const NamedClock& clock : clocks_of(report)) {
    if (clock.name != "lag") series.push_back(percentile_line(clock));
  }
  return svg_plot(options, series);
}

std::vector<PlotTick> time_ticks(const RunCourse& course) {
  std::vector<PlotTick> ticks;
  const double end = course.interval_seconds * static_cast<double>(course.rows.size());
  for (const double step : round_steps(end, 8)) {
    ticks.push_back({.at = step, .text = axis_text(step)});
  }
  return ticks;
}

std::string rate_plot(const LoadReport& report, const RunCourse& course) {
  PlotSeries meant{.name = "meant to be sent", .style = "meant", .points = {}};
  PlotSeries acknowledged{.name = "acknowledged", .style = "ack", .points = {}};
  PlotSeries notified{.name = "notified", .style = "notify", .points = {}};
  // The last interval is not a whole one.
  const std::size_t size = course.rows.size() > 3 ? course.rows.size() - 1 : course.rows.size();
  for (std::size_t at = 0; at < size; ++at) {
    const IntervalRow& row = course.rows[at];
    const auto add = [&row, &course](PlotSeries& series, std::uint64_t events) {
      series.points.emplace_back(row.seconds,
                                 static_cast<double>(events) / course.interval_seconds);
    };
    if (report.loop == LoadLoop::open) add(meant, row.meant);
    add(acknowledged, row.acknowledged.events);
    if (report.subscribed) add(notified, row.notified.events);
  }
  return svg_plot({.title = "Events a second over the run",
                   .x_title = "seconds",
                   .y_title = "events a second",
                   .x_ticks = time_ticks(course)},
                  {meant, acknowledged, notified});
}

std::string latency_plot(const RunCourse& course) {
  PlotSeries ack50{.name = "acknowledged p50", .style = "ack50", .points = {}};
  PlotSeries ack99{.name = "p99", .style = "ack", .points = {}};
  PlotSeries notify50{.name = "notified p50", .style = "notify50", .points = {}};
  PlotSeries notify99{.name = "p99", .style = "notify", .points = {}};
  for (const IntervalRow& row : course.rows) {
    const auto add = [&row](PlotSeries& series, const LatencyCell& cell, double share) {
      if (cell.latency.count() == 0) return;
      series.points.emplace_back(row.seconds, ms(cell.latency.value_at(share)));
    };
    add(ack50, row.acknowledged, 0.5);
    add(ack99, row.acknowledged, 0.99);
    add(notify50, row.notified, 0.5);
    add(notify99, row.notified, 0.99);
  }
  return svg_plot({.title = "Latency over the run",
                   .x_title = "seconds",
                   .y_title = "latency",
                   .y_latency = true,
                   .x_ticks = time_ticks(course)},
                  {ack50, ack99, notify50, notify99});
}

std::string memory_plot(const LoadReport& report, const RunCourse& course) {
  constexpr double kMiB = 1024.0 * 1024.0;
  PlotSeries memory{.name = "memory", .style = "ack", .points = {}};
  for (const IntervalRow& row : course.rows) {
    if (row.memory_bytes == 0) continue;
    memory.points.emplace_back(row.seconds, static_cast<double>(row.memory_bytes) / kMiB);
  }
  return svg_plot(
      {.title =
           concat({"Memory of the process over the run; its engine may take ",
                   metric_text(MetricUnit::bytes, static_cast<double>(report.memory_bytes_bound))}),
       .x_title = "seconds",
       .y_title = "MiB",
       .x_ticks = time_ticks(course)},
      {memory});
}

std::string clocks_table(const LoadReport& report) {
  std::string out = "<div class=\"scroll\"><table><tr><th>latency</th>";
  for (const NamedShare& share : kShares) out += concat({"<th>", share.name, "</th>"});
  out += "<th>max</th><th>events</th></tr>";
  for (const NamedClock& clock : clocks_of(report)) {
    const Histogram& histogram = *clock.histogram;
    if (histogram.count() == 0 || (clock.name == "lag" && report.loop != LoadLoop::open)) continue;
    const auto text = [](std::uint64_t ns) {
      return metric_text(MetricUnit::duration, static_cast<double>(ns));
    };
    out += concat({"<tr><td>", clock_about(clock.name), "</td>"});
    for (const NamedShare& share : kShares) {
      out += concat({"<td>", text(histogram.value_at(share.share)), "</td>"});
    }
    out += concat({"<td>", text(histogram.max()), "</td><td>",
                   metric_text(MetricUnit::count, static_cast<double>(histogram.count())),
                   "</td></tr>"});
  }
  return out + "</table></div>";
}

std::string requirements_list(const Judgement& judgement) {
  std::string out;
  for (const Judgement::Result& result : judgement.requirements) {
    out +=
        concat({"<p class=\"",
                result.met ? "good\">met: " : "bad\">not met: ", html_text(result.text), "</p>"});
  }
  return out;
}

std::string settings_table(const LoadReport& report) {
  std::string out = "<div class=\"scroll\"><table>";
  for (const auto& [name, text] : report.settings) {
    out += concat({"<tr><td>", html_text(name), "</td><td class=\"text\">",
                   html_text(text.empty() ? "not set" : text), "</td></tr>"});
  }
  return out + "</table></div>";
}

}  // namespace

std::string report_html(const LoadReport& report, const Judgement& judgement) {
  const RunCourse course = course_of(report);
  std::string out{kHead};
  out += concat({"<h1>", metric_text(MetricUnit::rate, events_per_second(report)),
                 " acknowledged</h1><p class=\"soft\">", html_text(summary_line(report)), "</p>"});
  for (const std::string& sentence : verdict(report)) {
    out += concat({"<p>", html_text(sentence), "</p>"});
  }
  out += requirements_list(judgement);
  out += "<h2>Three clocks</h2>" + clocks_table(report);
  out += report.loop == LoadLoop::open
             ? "<p class=\"soft\">From when an event was meant to be sent, so that what waited for "
               "its turn counts (the publish() call: as long as it took).</p>"
             : "<p class=\"soft\">From the call of publish(): what waited before it could be sent "
               "is not in these figures.</p>";
  out += "<h2>Latency by percentile</h2>" + percentile_plot(report);
  out += "<h2>Rate over the run</h2>" + rate_plot(report, course);
  out += "<h2>Latency over the run</h2>" + latency_plot(course);
  out += "<h2>Memory over the run</h2>" + memory_plot(report, course);
  out += concat({"<h2>Figures</h2><pre>", html_text(report_text(report)), "</pre>"});
  out += "<h2>What was asked for</h2>" + settings_table(report);
  return out + "</body></html>\n";
}

}  // namespace dualstream::command
