// check_notifications() reads what a real subscriber was told, and says what is wrong with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "support/redis_subscriber.h"
#include "support/topic_reader.h"

namespace dualstream::testing {

struct NotificationsReport {
  std::size_t received = 0;      // Notifications, those in `earlier` too.
  std::size_t repeated = 0;      // Told again of the same partition and offset.
  std::size_t out_of_order = 0;  // After a later one of the same channel and partition.
  std::size_t wrong = 0;         // No JSON, or an id that does not lie there in Kafka.
  std::size_t untold = 0;        // Frames after a gap in their source's events that do not say so.
  // What frames say was missed: the largest of each channel, as a frame repeats what one before it
  // said without an answer.
  std::uint64_t missed = 0;
  std::string text;  // The first that is wrong.

  [[nodiscard]] bool ok() const { return repeated + out_of_order + wrong + untold == 0; }
};

// `messages` in the order in which they came, of channels with one source each; `records` is the
// whole topic.
[[nodiscard]] NotificationsReport check_notifications(const std::vector<RedisMessage>& messages,
                                                      const std::vector<Record>& records);

// How many notifications messages carry, those in `earlier` too.
[[nodiscard]] std::size_t notifications_in(const std::vector<RedisMessage>& messages);

}  // namespace dualstream::testing
