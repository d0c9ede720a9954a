// What tests of the Coalescer give it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "redis/coalescer.h"

namespace dualstream::redis {

inline base::TimePoint at(base::Duration since_start) {
  return base::TimePoint{} + std::chrono::hours{1} + since_start;
}

inline std::vector<ChannelTemplate> templates(const std::vector<std::string>& texts) {
  std::vector<ChannelTemplate> made;
  EXPECT_TRUE(parse_channel_templates(texts, 64, made).ok());
  return made;
}

inline event::Notification event(const std::string& source_id, std::int64_t offset,
                                 std::uint32_t missed_before = 0) {
  const std::string id = std::to_string(offset);
  event::Notification made{
      EventView{.id = id, .type = "Read", .source_type = "sensor", .source_id = source_id}, 0,
      offset};
  made.set_missed_before(missed_before);
  return made;
}

}  // namespace dualstream::redis
