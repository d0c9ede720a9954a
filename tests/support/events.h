// Events for unit tests, made in one line.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/time.h"
#include "event/event.h"

namespace dualstream::testing {

// A time since the start of the test's own clock.
inline base::TimePoint at(base::Duration since_start) { return base::TimePoint{} + since_start; }

inline event::EventPtr make_event(std::string_view source_id, std::uint64_t tag,
                                  std::string_view payload = "{}", base::TimePoint taken_at = {}) {
  const std::string id = std::to_string(tag);
  event::EventPtr event = event::make_event(EventView{.id = id,
                                                      .type = "PushEvent",
                                                      .source_type = "repo",
                                                      .source_id = source_id,
                                                      .payload = payload,
                                                      .tag = tag});
  event->taken_at = taken_at;
  return event;
}

}  // namespace dualstream::testing
