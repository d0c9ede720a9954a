// TopicCheck compares what lies in a topic with what a run was told that Kafka has.
//
// Pure: somebody reads the topic and hands the records over, each partition in its order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bitmap.h"

namespace dualstream::command {

struct TopicFindings {
  std::uint64_t records = 0;       // All that were read.
  std::uint64_t foreign = 0;       // Not of this run.
  std::uint64_t corrupt = 0;       // Of this run, and not as they were sent, or with another key.
  std::uint64_t duplicated = 0;    // There again.
  std::uint64_t out_of_order = 0;  // Behind a later event of their source, or in another partition.
  std::uint64_t lost = 0;          // Acknowledged, and not there.
  std::uint64_t unacknowledged = 0;  // There, and reported as failed: may be.
};

class TopicCheck {
 public:
  TopicCheck(std::uint32_t run, std::size_t sources);

  void take(std::int32_t partition, std::string_view key, std::string_view value);

  // After all records. `acknowledged` holds the indexes of the events that were.
  [[nodiscard]] TopicFindings conclude(const Bitmap& acknowledged) const;

 private:
  struct Source {
    std::int32_t partition = -1;
    std::int64_t newest = -1;
  };

  const std::uint32_t run_;
  std::vector<Source> sources_;
  Bitmap seen_;
  TopicFindings findings_;
};

}  // namespace dualstream::command
