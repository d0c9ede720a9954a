#include "report_text.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "metrics.h"
#include "text.h"
#include "units.h"

namespace dualstream::command {
namespace {

double ms(double ns) { return ns / 1e6; }
double ms(std::uint64_t ns) { return ms(static_cast<double>(ns)); }

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

std::string ms_cell(std::uint64_t ns) {
  std::array<char, 64> text{};
  const double value = ms(ns);
  std::snprintf(text.data(), text.size(),
                value < 1     ? "%.4f"
                : value < 100 ? "%.2f"
                              : "%.0f",
                value);
  return padded(text.data(), 10);
}

std::string clocks_text(const LoadReport& report) {
  constexpr std::size_t kTitleWidth = 14;
  std::string text = "ms            ";
  for (const NamedShare& share : kShares) text += padded(std::string{share.name}, 10);
  text += padded("max", 10) + padded("events", 12) + '\n';
  for (const NamedClock& clock : clocks_of(report)) {
    const Histogram& histogram = *clock.histogram;
    if (clock.name == "notify" && !report.subscribed) continue;
    if (clock.name == "lag" && report.loop != LoadLoop::open) continue;
    std::string line{clock.title};
    line.resize(kTitleWidth, ' ');
    if (histogram.count() == 0) {
      text += line + padded("nothing was measured", 22) + '\n';
      continue;
    }
    for (const NamedShare& share : kShares) line += ms_cell(histogram.value_at(share.share));
    text += line + ms_cell(histogram.max()) + padded(grouped(histogram.count()), 12) + '\n';
  }
  return text;
}

std::string_view counting_from(const LoadReport& report) {
  return report.loop == LoadLoop::open
             ? "Latency counts from when an event was meant to be sent (open loop); publish() is "
               "what "
               "the call took.\n"
             : "Latency counts from the call of publish() (closed loop): it leaves out what events "
               "waited\nbefore they could be sent. Give a --rate for what users of such a rate "
               "would see.\n";
}

std::string ledger_text(const LoadReport& report) {
  const Stats& stats = report.stats;
  const auto n = [&stats](Counter counter) { return grouped(stats[counter]); };
  const std::uint64_t tried = report.sent.accepted + report.sent.refused;
  std::string text =
      concat({"sent ", grouped(tried), " = accepted ", n(Counter::accepted), " + refused ",
              grouped(report.sent.refused), "; waited for room ", grouped(report.sent.waits),
              " times\n", "accepted ", n(Counter::accepted), " = delivered ", n(Counter::delivered),
              " + failed ", n(Counter::failed), " + pending ", n(Counter::pending), "\n"});
  if (report.notifications) {
    text += concat({"announced ", n(Counter::announced), " = notified ", n(Counter::notified),
                    " + dropped ", grouped(stats.dropped()), " + unconfirmed ",
                    n(Counter::unconfirmed), " + pending ", n(Counter::pending_notifications)});
    if (report.subscribed) text += concat({"; received ", grouped(report.received)});
    text += '\n';
  }
  if (report.verification) {
    const TopicFindings& found = report.verification->findings;
    text +=
        concat({"read back ", grouped(found.records - found.foreign), ": lost ",
                grouped(found.lost), ", duplicated ", grouped(found.duplicated), ", out of order ",
                grouped(found.out_of_order), ", corrupt ", grouped(found.corrupt)});
    if (found.unacknowledged > 0) {
      text += concat({", failed and there all the same ", grouped(found.unacknowledged)});
    }
    if (found.foreign > 0) text += concat({"; of others ", grouped(found.foreign)});
    text += '\n';
  }
  return text;
}

std::string costs_text(const LoadReport& report) {
  const std::uint64_t delivered = report.stats[Counter::delivered];
  std::array<char, 24> run{};
  std::snprintf(run.data(), run.size(), "%08x", report.run);
  std::string text;
  if (delivered > 0) {
    text = concat({"CPU ",
                   metric_text(MetricUnit::duration,
                               report.cpu_seconds * 1e9 / static_cast<double>(delivered)),
                   " an event, "});
  }
  return concat({text, "memory ",
                 metric_text(MetricUnit::bytes, static_cast<double>(report.memory_bytes_peak)),
                 " at its peak (the engine may take ",
                 metric_text(MetricUnit::bytes, static_cast<double>(report.memory_bytes_bound)),
                 "); run ", run.data(), "\n"});
}

}  // namespace

std::string summary_line(const LoadReport& report) {
  const Histogram& ack = report.acknowledged.histogram();
  const auto whole_ms = [&ack](double share) { return std::llround(ms(ack.value_at(share))); };
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(),
                "%llu records sent, %f records/sec (%.2f MB/sec), %.2f ms avg latency, %.2f ms max "
                "latency, %lld ms 50th, %lld ms 95th, %lld ms 99th, %lld ms 99.9th.\n",
                static_cast<unsigned long long>(ack.count()), events_per_second(report),
                bytes_per_second(report) / (1024.0 * 1024.0), ms(ack.mean()), ms(ack.max()),
                whole_ms(0.5), whole_ms(0.95), whole_ms(0.99), whole_ms(0.999));
  return text.data();
}

std::string report_text(const LoadReport& report) {
  std::string text = summary_line(report);
  text += concat({"\n", clocks_text(report), counting_from(report), "\n", ledger_text(report),
                  costs_text(report)});
  for (const std::string& sentence : verdict(report)) text.append(sentence).append("\n");
  return text;
}

}  // namespace dualstream::command
