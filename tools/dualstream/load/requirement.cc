#include "requirement.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "nearest.h"
#include "text.h"
#include "units.h"

namespace dualstream::command {
namespace {

constexpr std::string_view kOperatorBytes = "<>=!";

constexpr std::array<std::pair<std::string_view, Comparison>, 6> kComparisons{{
    {"<", Comparison::less},
    {"<=", Comparison::at_most},
    {">", Comparison::more},
    {">=", Comparison::at_least},
    {"==", Comparison::equal},
    {"!=", Comparison::different},
}};

using Factors = std::vector<std::pair<std::string_view, double>>;

Status wrong(const std::string& text, std::string_view what) {
  return Status::error(StatusCode::invalid_options,
                       concat({"--require ", printable(text), ": ", what}));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// A number and the factor of what stands behind it.
std::optional<double> scaled(std::string_view text, const Factors& factors) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::optional<double> number = parse_decimal(text.substr(0, end));
  if (!number) return std::nullopt;
  const std::string_view unit = trimmed(text.substr(end));
  for (const auto& [name, factor] : factors) {
    if (name == unit) return *number * factor;
  }
  return std::nullopt;
}

std::optional<double> parse_limit(MetricUnit unit, std::string_view text) {
  switch (unit) {
    case MetricUnit::duration:
      if (text == "0") return 0;
      return scaled(text, {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}});
    case MetricUnit::bytes:
      if (const auto bytes = parse_bytes(text)) return static_cast<double>(*bytes);
      return std::nullopt;
    case MetricUnit::rate:
    case MetricUnit::count:
      return scaled(text, {{"", 1}, {"k", 1e3}, {"M", 1e6}});
  }
  return std::nullopt;
}

std::string_view limit_form(MetricUnit unit) {
  switch (unit) {
    case MetricUnit::duration:
      return "a duration with its unit (800us, 20ms, 1.5s)";
    case MetricUnit::bytes:
      return "a number of bytes (65536, 200MiB)";
    case MetricUnit::rate:
    case MetricUnit::count:
      return "a number (0, 9900, 10k)";
  }
  return {};
}

}  // namespace

Status parse_requirement(const std::string& text, Requirement& requirement) {
  const std::size_t at = text.find_first_of(kOperatorBytes);
  const std::size_t behind = text.find_first_not_of(kOperatorBytes, at);
  if (at == std::string::npos || behind == std::string::npos) {
    return wrong(text, "a condition is written as in ack.p99<20ms or lost==0");
  }
  const std::string sign = text.substr(at, behind - at);
  const auto* const comparison =
      std::find_if(kComparisons.begin(), kComparisons.end(),
                   [&sign](const auto& known) { return known.first == sign; });
  if (comparison == kComparisons.end()) {
    return wrong(text, concat({"`", sign, "` is none of < <= > >= == !="}));
  }

  const std::string name{trimmed(std::string_view{text}.substr(0, at))};
  const std::vector<MetricInfo> infos = metric_infos();
  const auto info = std::find_if(infos.begin(), infos.end(),
                                 [&name](const MetricInfo& one) { return one.name == name; });
  if (info == infos.end()) {
    std::vector<std::string> known;
    known.reserve(infos.size());
    for (const MetricInfo& one : infos) known.push_back(one.name);
    return wrong(text, concat({"nothing called `", printable(name), "` is measured",
                               did_you_mean(name, known)}));
  }
  const std::string_view value = trimmed(std::string_view{text}.substr(behind));
  const std::optional<double> limit = parse_limit(info->unit, value);
  if (!limit) {
    return wrong(text, concat({"`", printable(value), "` is not ", limit_form(info->unit)}));
  }
  requirement = {.metric = static_cast<std::size_t>(info - infos.begin()),
                 .comparison = comparison->second,
                 .limit = *limit,
                 .text = text};
  return {};
}

Status parse_requirements(const std::vector<std::string>& texts, const Measured& measured,
                          std::vector<Requirement>& requirements) {
  const std::vector<MetricInfo> infos = metric_infos();
  for (const std::string& text : texts) {
    Requirement requirement;
    if (Status status = parse_requirement(text, requirement); !status.ok()) return status;
    const MetricNeed need = infos[requirement.metric].need;
    if (need == MetricNeed::verify && !measured.verify) return wrong(text, "it needs --verify");
    if (need == MetricNeed::subscribe && !measured.subscribe) {
      return wrong(text, "it needs --subscribe");
    }
    if (need == MetricNeed::redis && !measured.redis) return wrong(text, "it needs --redis");
    requirements.push_back(std::move(requirement));
  }
  return {};
}

bool is_met(const Requirement& requirement, std::optional<double> value) {
  if (!value) return false;
  switch (requirement.comparison) {
    case Comparison::less:
      return *value < requirement.limit;
    case Comparison::at_most:
      return *value <= requirement.limit;
    case Comparison::more:
      return *value > requirement.limit;
    case Comparison::at_least:
      return *value >= requirement.limit;
    case Comparison::equal:
      return *value == requirement.limit;
    case Comparison::different:
      return *value != requirement.limit;
  }
  return false;
}

std::string result_text(const Requirement& requirement, std::optional<double> value) {
  const std::string text = printable(requirement.text);
  if (!value) return text + ": nothing was measured";
  return concat({text, ": it is ", metric_text(metric_infos()[requirement.metric].unit, *value)});
}

}  // namespace dualstream::command
