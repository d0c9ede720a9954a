#include "compare.h"

#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <simdjson.h>

#include "metrics.h"
#include "text.h"

namespace dualstream::command {
namespace {

struct Run {
  std::map<std::string, std::string> settings;
  std::map<std::string, std::optional<double>> metrics;  // As the JSON has them.
};

Status read_run(const std::string& name, const std::string& text, Run& run) {
  const auto wrong = [&name](std::string_view what) {
    return Status::error(StatusCode::invalid_options,
                         concat({printable(name), " ", what,
                                 "; give files that `dualstream load --json FILE` has written"}));
  };
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) {
    return wrong("is not a JSON object");
  }
  simdjson::dom::object metrics;
  simdjson::dom::object settings;
  if (object["metrics"].get(metrics) != simdjson::SUCCESS ||
      object["settings"].get(settings) != simdjson::SUCCESS) {
    return wrong("has no metrics or no settings");
  }
  for (const auto& [key, value] : metrics) {
    double number = 0;
    const bool is_number = value.get(number) == simdjson::SUCCESS;
    run.metrics[std::string{key}] = is_number ? std::optional<double>{number} : std::nullopt;
  }
  for (const auto& [key, value] : settings) {
    std::string_view word;
    if (value.get(word) == simdjson::SUCCESS) run.settings[std::string{key}] = word;
  }
  return {};
}

std::string cell(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

std::string ratio_text(double a, double b) {
  if (a == b) return "1.00";
  if (a == 0) return "-";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.2f", b / a);
  return text.data();
}

std::string differences(const Run& a, const Run& b) {
  std::set<std::string> names;
  for (const auto& [name, text] : a.settings) names.insert(name);
  for (const auto& [name, text] : b.settings) names.insert(name);
  const auto text_of = [](const Run& run, const std::string& name) {
    const auto found = run.settings.find(name);
    return found == run.settings.end() || found->second.empty() ? std::string{"not set"}
                                                                : printable(found->second);
  };
  std::string text;
  for (const std::string& name : names) {
    const std::string one = text_of(a, name);
    const std::string other = text_of(b, name);
    if (one != other) text += concat({"  ", printable(name), ": ", one, ", ", other, "\n"});
  }
  return text;
}

}  // namespace

Status compare_runs(const std::string& a_name, const std::string& a, const std::string& b_name,
                    const std::string& b, std::string& table) {
  Run one;
  Run other;
  if (Status status = read_run(a_name, a, one); !status.ok()) return status;
  if (Status status = read_run(b_name, b, other); !status.ok()) return status;
  table = concat({"A = ", printable(a_name), "\nB = ", printable(b_name), "\n"});
  if (const std::string text = differences(one, other); !text.empty()) {
    table += "Asked for differently (A, B):\n" + text;
  }
  table += cell("A", 32) + cell("B", 16) + cell("B/A", 10) + '\n';
  for (const MetricInfo& info : metric_infos()) {
    const std::optional<double> left = one.metrics[info.name];
    const std::optional<double> right = other.metrics[info.name];
    if (!left && !right) continue;
    if (left.value_or(0) == 0 && right.value_or(0) == 0) continue;
    const double scale = info.unit == MetricUnit::duration ? 1e6 : 1;
    const auto shown = [&info, scale](const std::optional<double>& value) {
      return value ? metric_text(info.unit, *value * scale) : std::string{"-"};
    };
    std::string line = info.name;
    line.resize(16, ' ');
    table += line + cell(shown(left), 16) + cell(shown(right), 16) +
             cell(left && right ? ratio_text(*left, *right) : "-", 10) + '\n';
  }
  return {};
}

}  // namespace dualstream::command
