#include "support/prometheus_format.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace dualstream::testing {
namespace {

bool is_name(std::string_view name) {
  if (name.empty() || (std::isdigit(static_cast<unsigned char>(name.front())) != 0)) return false;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != ':') return false;
  }
  return true;
}

std::optional<double> number(std::string_view text) {
  if (text == "+Inf") return HUGE_VAL;
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
  std::string value_text;
};

// name ['{' label '="' value '"' {',' ...} '}'] ' ' number
std::string parse_sample(std::string_view line, Sample& sample) {
  std::size_t at = line.find_first_of("{ ");
  if (at == std::string_view::npos) return "no value";
  sample.name = line.substr(0, at);
  if (!is_name(sample.name)) return "a bad name";
  if (line[at] == '{') {
    for (at += 1; line[at] != '}';) {
      const std::size_t equals = line.find("=\"", at);
      if (equals == std::string_view::npos) return "a label without a value";
      const std::string label{line.substr(at, equals - at)};
      if (!is_name(label) || label.find(':') != std::string::npos) return "a bad label";
      std::string value;
      for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
        if (line[at] == '\\') {
          at += 1;
          if (at >= line.size() ||
              std::string_view{"\\\"n"}.find(line[at]) == std::string_view::npos)
            return "a bad escape";
        }
        value += line[at];
      }
      if (at + 1 >= line.size()) return "a label value without an end";
      at += 1;
      if (!sample.labels.emplace(label, value).second) return "a label twice";
      if (line[at] == ',') at += 1;
    }
    at += 1;
  }
  if (at >= line.size() || line[at] != ' ') return "no space before the value";
  sample.value_text = line.substr(at + 1);
  const std::optional<double> value = number(sample.value_text);
  if (!value) return "the value is no number, or more stands after it";
  sample.value = *value;
  return "";
}

struct Family {
  std::string name;
  std::string type;
  double last_bound = -HUGE_VAL;
  double last_count = 0;
  bool infinite = false;
};

class Checker {
 public:
  std::string check(std::string_view text) {
    if (text.empty() || text.back() != '\n') return "the last line has no newline";
    std::size_t number = 0;
    while (!text.empty()) {
      number += 1;
      const std::size_t end = text.find('\n');
      const std::string error = check_line(text.substr(0, end));
      if (!error.empty()) return "line " + std::to_string(number) + ": " + error;
      text.remove_prefix(end + 1);
    }
    return end_family();
  }

 private:
  std::string check_line(std::string_view line) {
    if (line.starts_with("# HELP ")) return begin_family(line.substr(7));
    if (line.starts_with("# TYPE ")) return take_type(line.substr(7));
    if (line.empty() || line.front() == '#') return "neither help, type nor sample";
    Sample sample;
    std::string error = parse_sample(line, sample);
    if (!error.empty()) return error;
    if (!seen_.insert(std::string{line.substr(0, line.rfind(' '))}).second) return "a sample twice";
    return take_sample(sample);
  }

  std::string begin_family(std::string_view rest) {
    if (std::string error = end_family(); !error.empty()) return error;
    const std::size_t space = rest.find(' ');
    if (space == std::string_view::npos || space + 1 >= rest.size()) return "help without a text";
    family_ = {.name = std::string{rest.substr(0, space)}};
    if (!is_name(family_.name)) return "a bad name";
    if (!families_.insert(family_.name).second) return "a family twice";
    return "";
  }

  std::string take_type(std::string_view rest) {
    const std::size_t space = rest.find(' ');
    if (rest.substr(0, space) != family_.name) return "a type that is not below its help";
    if (!family_.type.empty()) return "a type twice";
    family_.type = rest.substr(space + 1);
    static const std::set<std::string> types{"counter", "gauge", "histogram"};
    return types.count(family_.type) == 1 ? "" : "an unknown type";
  }

  std::string take_sample(const Sample& sample) {
    if (family_.type.empty()) return "a sample before its type";
    samples_ += 1;
    if (family_.type == "histogram") return take_histogram(sample);
    if (sample.name != family_.name) return "a sample of another family";
    if (family_.type == "counter") {
      if (!sample.name.ends_with("_total")) return "a counter that does not end in _total";
      if (sample.value_text.find_first_not_of("0123456789") != std::string::npos)
        return "a counter that is no whole number";
    }
    return "";
  }

  std::string take_histogram(const Sample& sample) {
    if (sample.name == family_.name + "_bucket") {
      const auto bound = sample.labels.find("le");
      if (bound == sample.labels.end()) return "a bucket without a bound";
      const std::optional<double> value = number(bound->second);
      if (!value) return "a bound that is no number";
      if (*value <= family_.last_bound) return "bounds that do not rise";
      if (sample.value < family_.last_count) return "counts that fall";
      family_.last_bound = *value;
      family_.last_count = sample.value;
      family_.infinite = bound->second == "+Inf";
      return "";
    }
    if (!family_.infinite) return "no bucket for +Inf at the end";
    if (sample.name == family_.name + "_sum") return "";
    if (sample.name != family_.name + "_count") return "a sample of another family";
    return sample.value == family_.last_count ? "" : "a count that is not that of +Inf";
  }

  std::string end_family() {
    if (!family_.name.empty() && samples_ == 0) return family_.name + " has no sample";
    samples_ = 0;
    return "";
  }

  Family family_;
  std::size_t samples_ = 0;
  std::set<std::string> families_;
  std::set<std::string> seen_;
};

}  // namespace

std::string prometheus_format_error(std::string_view text) { return Checker{}.check(text); }

}  // namespace dualstream::testing
