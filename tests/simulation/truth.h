// Truth is what the simulation knows of every event, beside what the engine says of it; and the
// verdict: the first thing that did not hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dualstream/outcome.h"

namespace dualstream::simulation {

// An event's index is its tag, and its id in decimal. Of one producer, later events have larger
// tags.
struct TrueEvent {
  std::uint32_t producer = 0;
  std::uint32_t source = 0;
  std::size_t record_bytes = 0;

  bool in_client = false;        // The Kafka client holds it.
  std::uint32_t appended = 0;    // How often it stands in the log.
  bool answered = false;         // Kafka's last word was polled by the worker, ...
  bool acknowledged = false;     // ... and it was this.
  bool too_large_alone = false;  // It was refused for its size in a batch of its own.
  bool expired = false;          // The worker said by itself that it waited too long.
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  // Of the source's event that was acknowledged before it in the same partition; -1 for none.
  std::int64_t offset_before = -1;
  // Its source's last acknowledged event lay in the same partition.
  bool follows = false;
  std::uint32_t outcomes = 0;
};

struct TrueSource {
  std::string type;
  std::string id;
  std::vector<std::string> channels;                       // One for each template.
  std::map<std::int32_t, std::int64_t> last_acknowledged;  // By partition.
  std::int32_t last_partition = -1;
};

struct Truth {
  std::vector<TrueEvent> events;
  std::vector<TrueSource> sources;
  std::uint64_t acknowledged = 0;

  std::string broken;  // Empty while all holds.

  void require(bool holds, std::string_view sentence, std::uint64_t tag = UINT64_MAX) {
    if (holds || !broken.empty()) return;
    broken = sentence;
    if (tag != UINT64_MAX) broken += " (event " + std::to_string(tag) + ")";
  }

  void acknowledge(std::uint64_t tag) {
    TrueEvent& event = events[tag];
    TrueSource& source = sources[event.source];
    event.acknowledged = true;
    acknowledged += 1;
    event.follows = source.last_partition == event.partition;
    source.last_partition = event.partition;
    const auto [at, first] = source.last_acknowledged.try_emplace(event.partition, -1);
    event.offset_before = std::exchange(at->second, event.offset);
  }
};

}  // namespace dualstream::simulation
