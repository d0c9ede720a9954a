// The events that every end-to-end rival publishes: the same bytes, in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dualstream/event_view.h"

namespace dualstream::bench {

// Payloads (256 B) of sources (1,000) whose popularity falls as 1/rank (Zipf, s = 1), by a fixed
// seed. The payloads stand in 4 MiB of memory, as those of a program would that has just received
// them: a rival that sends the same cached bytes again and again would look better than it is.
//
// Thread: any, read only once made.
class Workload {
 public:
  explicit Workload(std::size_t events, std::size_t payload_bytes = 256,
                    std::size_t sources = 1'000);

  [[nodiscard]] std::size_t size() const noexcept { return source_of_.size(); }
  [[nodiscard]] EventView event(std::size_t i) const noexcept {
    return {.id = std::string_view{ids_}.substr(i * kIdBytes, kIdBytes),
            .type = "PushEvent",
            .source_type = "repo",
            .source_id = source_ids_[source_of_[i]],
            .payload = std::string_view{payloads_}.substr(i % payload_count_ * payload_bytes_,
                                                          payload_bytes_),
            .tag = i};
  }

 private:
  static constexpr std::size_t kIdBytes = 10;
  static constexpr std::size_t kPayloadsBytes = 4 * 1024 * 1024;

  std::vector<std::string> source_ids_;
  std::vector<std::uint32_t> source_of_;
  std::string ids_;
  std::size_t payload_bytes_;
  std::size_t payload_count_ = kPayloadsBytes / payload_bytes_;
  std::string payloads_;
};

// What this process has used of the processors so far, all its threads together, in seconds.
[[nodiscard]] double process_cpu_seconds();

}  // namespace dualstream::bench
