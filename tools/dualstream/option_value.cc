#include "option_value.h"

#include <array>

#include "text.h"
#include "units.h"

namespace dualstream::command {
namespace {

template <typename Enum, std::size_t N>
using Names = std::array<std::pair<std::string_view, Enum>, N>;

constexpr Names<bool, 8> kBoolNames{{
    {"true", true},
    {"false", false},
    {"yes", true},
    {"no", false},
    {"on", true},
    {"off", false},
    {"1", true},
    {"0", false},
}};
constexpr Names<NotifyAt, 2> kNotifyNames{{
    {"acknowledged", NotifyAt::acknowledged},
    {"accepted", NotifyAt::accepted},
}};
constexpr Names<ShowProgress, 3> kProgressNames{{
    {"auto", ShowProgress::automatic},
    {"always", ShowProgress::always},
    {"never", ShowProgress::never},
}};
constexpr Names<LogLevel, 4> kLogLevelNames{{
    {"debug", LogLevel::debug},
    {"info", LogLevel::info},
    {"warning", LogLevel::warning},
    {"error", LogLevel::error},
}};

constexpr std::string_view kUnlimited = "unlimited";

using Wrong = std::optional<std::string>;

std::string is_not(const std::string& text, std::string_view what) {
  return concat({"`", text, "` is not ", what});
}

template <typename Enum, std::size_t N>
Wrong set_choice(const Names<Enum, N>& names, const std::string& text, Enum& value) {
  std::string all;
  for (const auto& [name, meaning] : names) {
    if (text == name) {
      value = meaning;
      return std::nullopt;
    }
    all.append(all.empty() ? "" : ", ").append(name);
  }
  return is_not(text, "one of " + all);
}

template <typename Enum, std::size_t N>
std::string show_choice(const Names<Enum, N>& names, Enum value) {
  for (const auto& [name, meaning] : names) {
    if (meaning == value) return std::string{name};
  }
  return {};
}

// Takes one value. The repeatable targets are not among its overloads.
struct SetOne {
  const std::string& text;

  Wrong operator()(std::string* value) const {
    *value = text;
    return std::nullopt;
  }
  Wrong operator()(Count count) const {
    const std::optional<std::uint64_t> number = parse_count(text);
    if (!number) return is_not(text, "a whole number");
    *count.value = static_cast<std::size_t>(*number);
    return std::nullopt;
  }
  Wrong operator()(Bytes bytes) const {
    const std::optional<std::uint64_t> number = parse_bytes(text);
    if (!number) return is_not(text, "a size (65536, 64KiB, 1MiB)");
    *bytes.value = static_cast<std::size_t>(*number);
    return std::nullopt;
  }
  Wrong operator()(Limit limit) const {
    if (text == kUnlimited) {
      limit.value->reset();
      return std::nullopt;
    }
    const std::optional<std::uint64_t> number = parse_count(text);
    if (!number) return is_not(text, "a whole number or `unlimited`");
    *limit.value = *number;
    return std::nullopt;
  }
  Wrong operator()(double* value) const {
    const std::optional<double> number = parse_decimal(text);
    if (!number) return is_not(text, "a number such as 1 or 0.8");
    *value = *number;
    return std::nullopt;
  }
  Wrong operator()(std::chrono::milliseconds* value) const {
    const std::optional<std::chrono::milliseconds> duration = parse_duration(text);
    if (!duration) return is_not(text, "a duration (250ms, 5s, 2m, 1h)");
    *value = *duration;
    return std::nullopt;
  }
  Wrong operator()(bool* value) const { return set_choice(kBoolNames, text, *value); }
  Wrong operator()(NotifyAt* value) const { return set_choice(kNotifyNames, text, *value); }
  Wrong operator()(ShowProgress* value) const { return set_choice(kProgressNames, text, *value); }
  Wrong operator()(LogLevel* value) const { return set_choice(kLogLevelNames, text, *value); }
  Wrong operator()(std::vector<std::string>* /*value*/) const { return std::nullopt; }
  Wrong operator()(Properties* /*value*/) const { return std::nullopt; }
};

struct Show {
  std::vector<std::string> operator()(const std::string* value) const { return {*value}; }
  std::vector<std::string> operator()(Count count) const { return {std::to_string(*count.value)}; }
  std::vector<std::string> operator()(Bytes bytes) const { return {bytes_text(*bytes.value)}; }
  std::vector<std::string> operator()(Limit limit) const {
    if (!limit.value->has_value()) return {std::string{kUnlimited}};
    return {std::to_string(**limit.value)};
  }
  std::vector<std::string> operator()(const double* value) const { return {decimal_text(*value)}; }
  std::vector<std::string> operator()(const std::chrono::milliseconds* value) const {
    return {duration_text(*value)};
  }
  std::vector<std::string> operator()(const bool* value) const {
    return {show_choice(kBoolNames, *value)};
  }
  std::vector<std::string> operator()(const NotifyAt* value) const {
    return {show_choice(kNotifyNames, *value)};
  }
  std::vector<std::string> operator()(const ShowProgress* value) const {
    return {show_choice(kProgressNames, *value)};
  }
  std::vector<std::string> operator()(const LogLevel* value) const {
    return {show_choice(kLogLevelNames, *value)};
  }
  std::vector<std::string> operator()(const std::vector<std::string>* value) const {
    return *value;
  }
  std::vector<std::string> operator()(const Properties* value) const {
    std::vector<std::string> texts;
    for (const auto& [name, text] : *value) texts.push_back(concat({name, "=", text}));
    return texts;
  }
};

Wrong set_properties(const std::vector<std::string>& values, Properties& properties) {
  Properties read;
  for (const std::string& text : values) {
    const std::size_t equals = text.find('=');
    // The text may be a secret that lacks only its name, so it is not repeated.
    if (equals == std::string::npos || equals == 0) return "a property is written NAME=VALUE";
    read.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  properties = std::move(read);
  return std::nullopt;
}

}  // namespace

bool repeatable(const Target& target) {
  return std::holds_alternative<std::vector<std::string>*>(target) ||
         std::holds_alternative<Properties*>(target);
}

std::vector<std::string> choices(const Target& target) {
  std::vector<std::string> words;
  const auto add = [&words](const auto& names) {
    for (const auto& [name, value] : names) words.emplace_back(name);
  };
  if (std::holds_alternative<NotifyAt*>(target)) add(kNotifyNames);
  if (std::holds_alternative<ShowProgress*>(target)) add(kProgressNames);
  if (std::holds_alternative<LogLevel*>(target)) add(kLogLevelNames);
  return words;
}

bool is_switch(const Target& target) { return std::holds_alternative<bool*>(target); }

std::optional<std::string> set(const Target& target, const std::vector<std::string>& values) {
  if (auto* const* texts = std::get_if<std::vector<std::string>*>(&target)) {
    **texts = values;
    return std::nullopt;
  }
  if (auto* const* properties = std::get_if<Properties*>(&target)) {
    return set_properties(values, **properties);
  }
  if (values.size() != 1) {
    return concat({"takes one value, not ", std::to_string(values.size())});
  }
  return std::visit(SetOne{values.front()}, target);
}

std::vector<std::string> show(const Target& target) { return std::visit(Show{}, target); }

}  // namespace dualstream::command
