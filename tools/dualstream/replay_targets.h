// ReplayTarget is where a replay's events go: stdout, another topic, or Redis' replay channels.
#pragma once

#include <memory>
#include <string>

#include "console.h"
#include "dualstream/status.h"
#include "dualstream/subscriber.h"
#include "settings.h"

namespace dualstream::command {

// Thread: one at a time.
class ReplayTarget {
 public:
  virtual ~ReplayTarget() = default;

  // Takes an event, in the order of its partition.
  [[nodiscard]] virtual Status take(const Update& event) = 0;
  // Returns when all that was taken has arrived: only then may a replay remember that it came so
  // far.
  [[nodiscard]] virtual Status settle() = 0;
};

// `console` outlives it.
[[nodiscard]] Status open_stdout_target(const Settings& settings,
                                        std::unique_ptr<ReplayTarget>& target);
[[nodiscard]] Status open_topic_target(const Settings& settings, Console& console,
                                       std::unique_ptr<ReplayTarget>& target);
[[nodiscard]] Status open_redis_target(const Settings& settings, Console& console,
                                       std::unique_ptr<ReplayTarget>& target);

}  // namespace dualstream::command
