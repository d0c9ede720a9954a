#include "subscriber/selection.h"

#include <algorithm>

namespace dualstream::subscriber {
namespace {

// Whether the class that opens before `at` ("[...]") has `c`; moves `at` behind it.
bool class_has(std::string_view pattern, std::size_t& at, char c) {
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) at += 1;
  bool found = false;
  for (; at < pattern.size() && pattern[at] != ']'; ++at) {
    const bool escaped = pattern[at] == '\\' && at + 1 < pattern.size();
    if (escaped) at += 1;
    char low = pattern[at];
    char high = low;
    // As Redis reads it, what is escaped begins no range.
    if (!escaped && at + 2 < pattern.size() && pattern[at + 1] == '-') {
      high = pattern[at + 2];
      at += 2;
      if (low > high) std::swap(low, high);
    }
    found = found || (low <= c && c <= high);
  }
  if (at < pattern.size()) at += 1;
  return found != negated;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  // The last `*`, and how much of the text it has taken so far.
  std::size_t star = std::string_view::npos;
  std::size_t taken = 0;
  std::size_t at = 0;
  std::size_t in_text = 0;
  while (in_text < text.size()) {
    std::size_t next = at;
    bool fits = false;
    if (at < pattern.size()) {
      if (pattern[at] == '*') {
        star = at++;
        taken = in_text;
        continue;
      }
      next = at + 1;
      if (pattern[at] == '?') {
        fits = true;
      } else if (pattern[at] == '[') {
        fits = class_has(pattern, next, text[in_text]);
      } else {
        if (pattern[at] == '\\' && next < pattern.size()) at = next++;
        fits = pattern[at] == text[in_text];
      }
    }
    if (fits) {
      at = next;
      in_text += 1;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in_text = ++taken;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') at += 1;
  return at == pattern.size();
}

Status Selection::make(const SubscriptionOptions& options,
                       const std::vector<redis::ChannelTemplate>& templates, Selection& out) {
  Selection made;
  made.templates_ = templates;
  made.named_ = options.sources;
  const auto own = std::ranges::find_if(templates, &redis::ChannelTemplate::one_source_per_channel);
  const redis::ChannelTemplate& of_source = own != templates.end() ? *own : templates.front();
  std::set<redis::Topic> topics;
  for (const SourceName& source : made.named_) {
    made.types_of_named_[source.source_id].insert(source.source_type);
    const redis::Topic topic{.is_pattern = false,
                             .name = of_source.expand(source.source_type, source.source_id)};
    topics.insert(topic);
    if (of_source.one_source_per_channel()) made.of_one_source_.insert(topic);
  }
  for (const std::string& channel : options.channels) {
    if (!redis::source_type_of(channel, templates)) {
      return Status::error(StatusCode::invalid_options,
                           "subscription.channels: \"" + channel +
                               "\" is made by none of redis.channels; add the template that the "
                               "publishing side uses for it");
    }
    made.others_.push_back({.is_pattern = false, .name = channel});
  }
  for (const std::string& pattern : options.patterns) {
    made.others_.push_back({.is_pattern = true, .name = pattern});
  }
  topics.insert(made.others_.begin(), made.others_.end());
  made.topics_.assign(topics.begin(), topics.end());
  out = std::move(made);
  return {};
}

bool Selection::is_aggregate(const redis::Topic& topic) const {
  return !of_one_source_.contains(topic);
}

bool Selection::names(std::string_view source_type, std::string_view source_id) const {
  const auto found = types_of_named_.find(source_id);
  return found != types_of_named_.end() && found->second.contains(source_type);
}

std::optional<std::string> Selection::named_type_of(std::string_view source_id) const {
  const auto found = types_of_named_.find(source_id);
  if (found == types_of_named_.end() || found->second.size() != 1) return std::nullopt;
  return *found->second.begin();
}

bool Selection::selects(std::string_view source_type, std::string_view source_id) const {
  if (names(source_type, source_id)) return true;
  if (others_.empty()) return false;
  for (const redis::ChannelTemplate& each : templates_) {
    const std::string channel = each.expand(source_type, source_id);
    for (const redis::Topic& topic : others_) {
      if (topic.is_pattern ? matches_pattern(topic.name, channel) : topic.name == channel) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace dualstream::subscriber
