#include "metrics.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "text.h"
#include "units.h"

namespace dualstream::command {
namespace {

using Value = std::optional<double>;

struct ClockInfo {
  std::string_view name;
  std::string_view what;
  MetricNeed need;
};

constexpr std::array<ClockInfo, 4> kClocks{{
    {"publish", "the publish() call", MetricNeed::nothing},
    {"ack", "Kafka's acknowledgement", MetricNeed::nothing},
    {"notify", "the notification at the subscriber", MetricNeed::subscribe},
    {"lag", "how late an event was sent", MetricNeed::nothing},
}};

struct Plain {
  std::string_view name;
  MetricUnit unit;
  MetricNeed need;
  std::string_view help;
  Value (*value)(const LoadReport& report);
};

Value number(std::uint64_t count) { return static_cast<double>(count); }

Value found(const LoadReport& report, std::uint64_t TopicFindings::*count) {
  if (!report.verification || !report.verification->error.empty()) return std::nullopt;
  return number(report.verification->findings.*count);
}

Value redis(const LoadReport& report, std::uint64_t count) {
  return report.notifications ? number(count) : std::nullopt;
}

constexpr MetricNeed kNothing = MetricNeed::nothing;

const std::array kPlain{
    Plain{"rate", MetricUnit::rate, kNothing, "Events acknowledged in a second.",
          [](const LoadReport& r) -> Value { return events_per_second(r); }},
    Plain{"byte_rate", MetricUnit::bytes, kNothing, "Their payloads, bytes in a second.",
          [](const LoadReport& r) -> Value { return bytes_per_second(r); }},
    Plain{"sent", MetricUnit::count, kNothing, "Events that publish() accepted.",
          [](const LoadReport& r) -> Value { return number(r.sent.accepted); }},
    Plain{"delivered", MetricUnit::count, kNothing, "Events that Kafka acknowledged.",
          [](const LoadReport& r) -> Value { return number(r.stats[Counter::delivered]); }},
    Plain{"failed", MetricUnit::count, kNothing, "Accepted events that were not delivered.",
          [](const LoadReport& r) -> Value {
            return number(r.stats[Counter::failed] + r.stats[Counter::pending]);
          }},
    Plain{"refused", MetricUnit::count, kNothing, "Events refused for good: too large, say.",
          [](const LoadReport& r) -> Value { return number(r.sent.refused); }},
    Plain{"waits", MetricUnit::count, kNothing, "Calls of publish() that had to wait for room.",
          [](const LoadReport& r) -> Value { return number(r.sent.waits); }},
    Plain{"late", MetricUnit::count, kNothing,
          "Events sent more than 5 ms late through the generator's own fault.",
          [](const LoadReport& r) -> Value { return number(r.sent.late_self); }},
    Plain{"unsent", MetricUnit::count, kNothing, "Events that were due and not sent in time.",
          [](const LoadReport& r) -> Value { return number(r.sent.unsent); }},
    Plain{"notified", MetricUnit::count, MetricNeed::redis, "Notifications that Redis took.",
          [](const LoadReport& r) { return redis(r, r.stats[Counter::notified]); }},
    Plain{"dropped", MetricUnit::count, MetricNeed::redis, "Notifications dropped.",
          [](const LoadReport& r) { return redis(r, r.stats.dropped()); }},
    Plain{"unconfirmed", MetricUnit::count, MetricNeed::redis,
          "Notifications whose connection broke before Redis answered.",
          [](const LoadReport& r) { return redis(r, r.stats[Counter::unconfirmed]); }},
    Plain{"received", MetricUnit::count, MetricNeed::subscribe,
          "Notifications that the subscriber got.",
          [](const LoadReport& r) -> Value {
            return r.subscribed ? number(r.received) : std::nullopt;
          }},
    Plain{"missed", MetricUnit::count, MetricNeed::subscribe,
          "Notifications that Redis took and the subscriber did not get.",
          [](const LoadReport& r) -> Value {
            const std::uint64_t notified = r.stats[Counter::notified];
            if (!r.subscribed) return std::nullopt;
            return number(notified > r.received ? notified - r.received : 0);
          }},
    Plain{"lost", MetricUnit::count, MetricNeed::verify, "Acknowledged, and not in the topic.",
          [](const LoadReport& r) { return found(r, &TopicFindings::lost); }},
    Plain{"duplicated", MetricUnit::count, MetricNeed::verify, "In the topic again.",
          [](const LoadReport& r) { return found(r, &TopicFindings::duplicated); }},
    Plain{"out_of_order", MetricUnit::count, MetricNeed::verify,
          "In the topic behind a later event of their source.",
          [](const LoadReport& r) { return found(r, &TopicFindings::out_of_order); }},
    Plain{"corrupt", MetricUnit::count, MetricNeed::verify, "In the topic with other bytes.",
          [](const LoadReport& r) { return found(r, &TopicFindings::corrupt); }},
    Plain{"cpu", MetricUnit::duration, kNothing,
          "CPU time of this process for each event delivered.",
          [](const LoadReport& r) -> Value {
            const std::uint64_t delivered = r.stats[Counter::delivered];
            if (delivered == 0) return std::nullopt;
            return r.cpu_seconds * 1e9 / static_cast<double>(delivered);
          }},
    Plain{"memory", MetricUnit::bytes, kNothing, "Memory of this process at its peak.",
          [](const LoadReport& r) -> Value { return number(r.memory_bytes_peak); }},
    Plain{"memory_bound", MetricUnit::bytes, kNothing,
          "Memory that the engine in it may take, by its options.",
          [](const LoadReport& r) -> Value { return number(r.memory_bytes_bound); }},
    Plain{"seconds", MetricUnit::count, kNothing,
          "From the end of the warm-up to the last acknowledgement.",
          [](const LoadReport& r) -> Value { return r.seconds; }},
};

std::string formatted(const char* format, double value) {
  std::array<char, 64> text{};
  // NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): each caller has a literal.
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

}  // namespace

std::vector<MetricInfo> metric_infos() {
  std::vector<MetricInfo> infos;
  for (const ClockInfo& clock : kClocks) {
    const auto add = [&infos, &clock](std::string_view figure, MetricUnit unit,
                                      std::string_view help) {
      infos.push_back({.name = concat({clock.name, ".", figure}),
                       .unit = unit,
                       .need = clock.need,
                       .help = concat({help, clock.what, "."})});
    };
    for (const NamedShare& share : kShares) {
      add(share.name, MetricUnit::duration, "A percentile of ");
    }
    add("max", MetricUnit::duration, "The longest: ");
    add("mean", MetricUnit::duration, "The mean of ");
    add("count", MetricUnit::count, "How many were measured: ");
  }
  for (const Plain& plain : kPlain) {
    infos.push_back({.name = std::string{plain.name},
                     .unit = plain.unit,
                     .need = plain.need,
                     .help = std::string{plain.help}});
  }
  return infos;
}

std::vector<NamedClock> clocks_of(const LoadReport& report) {
  return {{.name = "publish", .title = "publish()", .histogram = &report.sent.publish},
          {.name = "ack", .title = "acknowledged", .histogram = &report.acknowledged.histogram()},
          {.name = "notify", .title = "notified", .histogram = &report.notified.histogram()},
          {.name = "lag", .title = "sent late by", .histogram = &report.sent.lag}};
}

std::vector<Value> metric_values(const LoadReport& report) {
  std::vector<Value> values;
  for (const NamedClock& clock : clocks_of(report)) {
    const Histogram& histogram = *clock.histogram;
    const bool any = histogram.count() > 0;
    const auto add = [&values, any](double value) {
      values.push_back(any ? Value{value} : std::nullopt);
    };
    for (const NamedShare& share : kShares) {
      add(static_cast<double>(histogram.value_at(share.share)));
    }
    add(static_cast<double>(histogram.max()));
    add(histogram.mean());
    const bool measured = clock.name != "notify" || report.subscribed;
    values.push_back(measured ? number(histogram.count()) : std::nullopt);
  }
  for (const Plain& plain : kPlain) values.push_back(plain.value(report));
  return values;
}

std::string metric_text(MetricUnit unit, double value) {
  switch (unit) {
    case MetricUnit::duration:
      if (value < 1e3) return formatted("%.0f ns", value);
      if (value < 1e6) return formatted("%.1f us", value / 1e3);
      return value < 1e10 ? formatted("%.2f ms", value / 1e6) : formatted("%.1f s", value / 1e9);
    case MetricUnit::rate:
      return grouped(static_cast<std::uint64_t>(std::llround(value))) + "/s";
    case MetricUnit::bytes:
      return about_bytes_text(value);
    case MetricUnit::count:
      return value == std::floor(value) ? grouped(static_cast<std::uint64_t>(value))
                                        : formatted("%.2f", value);
  }
  return {};
}

}  // namespace dualstream::command
