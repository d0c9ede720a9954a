#include "dualstream/metrics.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ratio>
#include <utility>

namespace dualstream {
namespace {

using std::chrono::microseconds;

constexpr std::string_view kPublishToAcknowledged = "dualstream_publish_to_acknowledged_seconds";
constexpr std::string_view kAcknowledgedToNotified = "dualstream_acknowledged_to_notified_seconds";
constexpr std::string_view kKafkaUp = "dualstream_kafka_up";
constexpr std::string_view kRedisUp = "dualstream_redis_up";

// Bounds of the buckets that are written: powers of two in microseconds, from 64 µs to 134 s. The
// eight steps in between are for quantile() only.
constexpr unsigned kFirstBoundBits = 6;
constexpr unsigned kLastBoundBits = 27;

// What counters of one family count together.
struct SharedHelp {
  std::string_view metric;
  std::string_view help;
};
constexpr auto kSharedHelps = std::to_array<SharedHelp>({
    {"dualstream_events_refused_total", "events that publish() refused, by reason"},
    {"dualstream_events_failed_reason_total", "events whose outcome was failed, by reason"},
    {"dualstream_notifications_dropped_total", "notifications that were dropped, by reason"},
});

std::string_view help_of(const CounterInfo& info) {
  if (info.reason.empty()) return info.help;
  const auto* const shared = std::ranges::find(kSharedHelps, info.metric,
                                               [](const SharedHelp& one) { return one.metric; });
  return shared != kSharedHelps.end() ? shared->help : info.help;
}

// The families of the counters, which stand together in their table, and those after them.
constexpr std::size_t kOtherFamilies = 4;
struct Families {
  std::array<MetricFamily, kCounterCount + kOtherFamilies> all{};
  std::size_t count = 0;

  Families() noexcept {
    for (const CounterInfo& info : counter_infos()) {
      if (count > 0 && all[count - 1].name == info.metric) continue;
      all[count++] = {info.metric, info.gauge ? MetricType::gauge : MetricType::counter,
                      help_of(info)};
    }
    all[count++] = {kPublishToAcknowledged, MetricType::histogram,
                    "from publish() to Kafka's acknowledgement; one event in 17 is measured"};
    all[count++] = {kAcknowledgedToNotified, MetricType::histogram,
                    "from the acknowledgement of a frame's oldest event to Redis' answer; each "
                    "frame is measured"};
    all[count++] = {kKafkaUp, MetricType::gauge, "whether Kafka answers and lets us write"};
    all[count++] = {kRedisUp, MetricType::gauge, "whether Redis takes notifications"};
  }
};

// "0.001024": exact.
std::string seconds_text(std::uint64_t units, std::uint64_t units_per_second) {
  std::string text = std::to_string(units / units_per_second);
  std::uint64_t rest = units % units_per_second;
  if (rest == 0) return text;
  text += '.';
  while (rest > 0) {
    rest *= 10;
    text += static_cast<char>('0' + rest / units_per_second);
    rest %= units_per_second;
  }
  return text;
}

// TextWriter writes samples and, above the first of each family, its help and type.
class TextWriter {
 public:
  void counter(const CounterInfo& info, std::uint64_t value) {
    const std::string labels =
        info.reason.empty() ? "" : "{reason=\"" + std::string{info.reason} + "\"}";
    sample(info.metric, "", labels, std::to_string(value));
  }

  void gauge(std::string_view family, bool value) { sample(family, "", "", value ? "1" : "0"); }

  void histogram(std::string_view family, const Latencies& latencies) {
    for (unsigned bits = kFirstBoundBits; bits <= kLastBoundBits; ++bits) {
      const std::uint64_t bound = std::uint64_t{1} << bits;
      bucket(family, seconds_text(bound, std::micro::den),
             latencies.count_up_to(microseconds{bound}));
    }
    bucket(family, "+Inf", latencies.count());
    sample(family, "_sum", "", seconds_text(latencies.sum_ns, std::nano::den));
    sample(family, "_count", "", std::to_string(latencies.count()));
  }

  [[nodiscard]] std::string take() noexcept { return std::move(text_); }

 private:
  void bucket(std::string_view family, const std::string& bound, std::uint64_t count) {
    sample(family, "_bucket", "{le=\"" + bound + "\"}", std::to_string(count));
  }

  void sample(std::string_view family, std::string_view suffix, std::string_view labels,
              std::string_view value) {
    begin(family);
    text_.append(family).append(suffix).append(labels).append(" ").append(value).append("\n");
  }

  void begin(std::string_view family) {
    if (family == family_) return;
    family_ = family;
    const auto families = metric_families();
    const auto found =
        std::ranges::find(families, family, [](const MetricFamily& one) { return one.name; });
    text_.append("# HELP ").append(family).append(" ").append(found->help);
    text_.append("\n# TYPE ").append(family).append(" ").append(name(found->type)).append("\n");
  }

  std::string text_;
  std::string_view family_;
};

void write_stats(const Stats& stats, TextWriter& writer) {
  for (const CounterInfo& info : counter_infos()) writer.counter(info, stats[info.counter]);
  writer.histogram(kPublishToAcknowledged, stats.publish_to_acknowledged);
  writer.histogram(kAcknowledgedToNotified, stats.acknowledged_to_notified);
}

}  // namespace

std::string_view name(MetricType type) noexcept {
  switch (type) {
    case MetricType::counter:
      return "counter";
    case MetricType::gauge:
      return "gauge";
    case MetricType::histogram:
      return "histogram";
  }
  return "untyped";
}

std::span<const MetricFamily> metric_families() noexcept {
  static const Families families;
  return std::span{families.all}.first(families.count);
}

std::string prometheus_text(const Stats& stats) {
  TextWriter writer;
  write_stats(stats, writer);
  return writer.take();
}

std::string prometheus_text(const Stats& stats, const Health& health) {
  TextWriter writer;
  write_stats(stats, writer);
  writer.gauge(kKafkaUp, health.kafka == KafkaHealth::up);
  if (health.redis != RedisHealth::off) {
    writer.gauge(kRedisUp, health.redis == RedisHealth::up);
  }
  return writer.take();
}

}  // namespace dualstream
