// Selection is which events one subscription wants, and which topics of Redis bring them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dualstream/status.h"
#include "dualstream/subscriber.h"
#include "redis/channel.h"
#include "redis/redis_subscription.h"

namespace dualstream::subscriber {

// Whether `text` matches one of Redis' patterns: `*`, `?`, `[a-c]`, `[^a]`, and `\` before any of
// them.
[[nodiscard]] bool matches_pattern(std::string_view pattern, std::string_view text);

// A value.
class Selection {
 public:
  // ok, or `invalid_options`: a channel that no template makes tells nobody its source_type.
  [[nodiscard]] static Status make(const SubscriptionOptions& options,
                                   const std::vector<redis::ChannelTemplate>& templates,
                                   Selection& out);

  [[nodiscard]] const std::vector<redis::Topic>& topics() const noexcept { return topics_; }

  // Whether it is only sources that are named.
  [[nodiscard]] bool named_only() const noexcept { return others_.empty(); }
  // Whether what `topic` brings can be of several sources.
  [[nodiscard]] bool is_aggregate(const redis::Topic& topic) const;

  // Whether a record with this key can be of a source that it selects.
  [[nodiscard]] bool may_select(std::string_view source_id) const {
    return !others_.empty() || types_of_named_.contains(source_id);
  }
  [[nodiscard]] bool selects(std::string_view source_type, std::string_view source_id) const;
  [[nodiscard]] bool names(std::string_view source_type, std::string_view source_id) const;
  // The source_type under which a source_id is named; nothing when it is not, or under several.
  [[nodiscard]] std::optional<std::string> named_type_of(std::string_view source_id) const;

  [[nodiscard]] const std::vector<SourceName>& named() const noexcept { return named_; }

 private:
  std::vector<SourceName> named_;
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> types_of_named_;
  std::vector<redis::Topic> topics_;
  std::vector<redis::Topic> others_;  // Channels and patterns that were asked for as such.
  std::set<redis::Topic> of_one_source_;
  std::vector<redis::ChannelTemplate> templates_;
};

}  // namespace dualstream::subscriber
