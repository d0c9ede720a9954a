// LastEvents finds a partition's newest events of some sources, reading it backwards in windows
// that grow: Kafka has no index by key.
//
//   begin                                                      end
//   |............|<---- window 3 ---->|<- window 2 ->|<- w 1 ->|
//
// Pure: it says which stretch to read next, and is given its records.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dualstream/subscriber.h"
#include "subscriber/partition_merge.h"

namespace dualstream::subscriber {

// Thread: one at a time.
class LastEvents {
 public:
  struct Limits {
    std::size_t count = 1;  // Of each named source, and of all the others together.
    bool wants_others = false;
    std::int64_t offsets_max = 1'000'000;
  };

  LastEvents(const Limits& limits, OffsetRange partition, const std::vector<std::string>& named)
      : limits_(limits),
        begin_(partition.from),
        window_{partition.to, partition.to},
        end_(partition.to) {
    for (const std::string& key : named) counts_[key] = 0;
    next_window();
  }

  // What to read next; nothing when all is found.
  [[nodiscard]] std::optional<OffsetRange> wanted() const {
    if (done_) return std::nullopt;
    return OffsetRange{.from = at_, .to = window_.to};
  }

  // All wanted records of `range`, which begins where wanted() does.
  void take(OffsetRange range, std::vector<Update>&& records) {
    std::move(records.begin(), records.end(), std::back_inserter(in_window_));
    at_ = range.to;
    if (at_ < window_.to) return;
    std::move(found_.begin(), found_.end(), std::back_inserter(in_window_));
    found_ = std::exchange(in_window_, {});
    trim();
    next_window();
  }

  // Kafka has nothing before `offset` any more.
  void begins_at(std::int64_t offset) {
    begin_ = std::max(begin_, offset);
    at_ = std::max(at_, offset);
    if (at_ >= window_.to) done_ = true;
  }

  // In order; the newest `count` of each.
  [[nodiscard]] std::vector<Update> take_found() { return std::exchange(found_, {}); }
  // What was not looked at though events may be missing: the partition was too long.
  [[nodiscard]] OffsetRange given_up() const {
    return enough() ? OffsetRange{} : OffsetRange{.from = begin_, .to = window_.from};
  }

 private:
  static constexpr std::int64_t kFirstWindow = 2'000;

  [[nodiscard]] bool enough() const {
    if (limits_.wants_others && others_ < limits_.count) return false;
    return std::ranges::all_of(
        counts_, [this](const auto& source) { return source.second >= limits_.count; });
  }

  void next_window() {
    const std::int64_t read = end_ - window_.from;
    const std::int64_t size =
        std::min(std::max(kFirstWindow, 3 * read), limits_.offsets_max - read);
    const std::int64_t to = window_.from;
    done_ = enough() || to <= begin_ || size <= 0;
    if (done_) return;
    window_ = {.from = std::max(begin_, to - size), .to = to};
    at_ = window_.from;
  }

  // From the newest to the oldest, as many as are wanted of each.
  void trim() {
    for (auto& [key, count] : counts_) count = 0;
    others_ = 0;
    std::vector<Update> kept;
    std::ranges::reverse(found_);
    for (Update& update : found_) {
      const auto named = counts_.find(source_key(update.source_type, update.source_id));
      std::size_t& count = named != counts_.end() ? named->second : others_;
      if (count >= limits_.count) continue;
      count += 1;
      kept.push_back(std::move(update));
    }
    std::ranges::reverse(kept);
    found_ = std::move(kept);
  }

  const Limits limits_;
  std::int64_t begin_;
  OffsetRange window_;
  const std::int64_t end_;
  std::int64_t at_ = 0;
  bool done_ = false;
  std::map<std::string, std::size_t> counts_;
  std::size_t others_ = 0;
  std::vector<Update> in_window_;
  std::vector<Update> found_;
};

}  // namespace dualstream::subscriber
