// How a Reader finds where to begin, and begins.
#include <algorithm>
#include <tuple>
#include <utility>

#include "kafka/partitioner.h"
#include "subscriber/reader.h"

namespace dualstream::subscriber {

bool Reader::wants_partition(std::int32_t partition) const {
  return !selection().named_only() || !named_in(partition).empty();
}

void Reader::begin_at(const Bounds& bounds) {
  partition_count_ = static_cast<std::int32_t>(bounds.size());
  const From& from = shared_->options.from;
  for (std::int32_t partition = 0; partition < partition_count_; ++partition) {
    if (!wants_partition(partition)) continue;
    const kafka::PartitionBounds& here = bounds[static_cast<std::size_t>(partition)];
    ends_[partition] = here.end;
    beginnings_[partition] = here.end;
    switch (from.kind) {
      case FromKind::now:
        break;
      case FromKind::since:
        times_to_ask_.push_back(partition);
        beginnings_[partition] = -1;
        break;
      case FromKind::offset:
        for (const auto& [named, offset] : from.offsets) {
          if (named == partition) {
            beginnings_[partition] = std::clamp<std::int64_t>(offset, 0, here.end);
          }
        }
        break;
      case FromKind::last:
        scans_.try_emplace(partition,
                           LastEvents::Limits{.count = from.count,
                                              .wants_others = !selection().named_only(),
                                              .offsets_max = shared_->options.history_offsets_max},
                           OffsetRange{.from = here.begin, .to = here.end}, named_in(partition));
        break;
    }
  }
  phase_ = Phase::finding;
  if (from.kind == FromKind::last) {
    found_all();
  } else if (times_to_ask_.empty()) {
    start_all();
  }
}

// ---- Finding where to begin

std::vector<std::int32_t> Reader::times_wanted() { return std::exchange(times_to_ask_, {}); }

void Reader::take_time(std::int32_t partition, std::optional<std::int64_t> offset) {
  if (!offset) {
    times_to_ask_.push_back(partition);
    return;
  }
  beginnings_[partition] = std::min(*offset, ends_[partition]);
  const auto asked = [](const auto& beginning) { return beginning.second < 0; };
  if (std::ranges::none_of(beginnings_, asked)) start_all();
}

std::optional<kafka::ReadRequest> Reader::scan_wanted() {
  if (scan_asked_) return std::nullopt;
  for (const auto& [partition, scan] : scans_) {
    if (const std::optional<OffsetRange> range = scan.wanted()) {
      scan_asked_ = true;
      return kafka::ReadRequest{.partition = partition, .from = range->from, .to = range->to};
    }
  }
  return std::nullopt;
}

void Reader::take_scan(const kafka::ReadRequest& request, const kafka::ReadAnswer* answer) {
  scan_asked_ = false;
  if (answer == nullptr) return;
  LastEvents& scan = scans_.at(request.partition);
  if (answer->begin > request.from) {
    scan.begins_at(answer->begin);
  } else {
    scan.take({.from = request.from, .to = answer->next},
              selected(request.partition, request.from, *answer));
  }
  found_all();
}

// When every partition was looked through: the newest of all the others together, and what was
// found of each named source.
void Reader::found_all() {
  const auto is_open = [](const auto& scan) { return scan.second.wanted().has_value(); };
  if (std::ranges::any_of(scans_, is_open)) return;
  using Found = std::tuple<std::int64_t, std::int32_t, std::int64_t>;  // Time and place.
  std::map<std::int32_t, std::vector<Update>> found;
  std::vector<Found> others;
  for (auto& [partition, scan] : scans_) {
    if (const OffsetRange lost = scan.given_up(); lost.from < lost.to) {
      Update gap;
      gap.kind = UpdateKind::gap;
      gap.origin = Origin::history;
      gap.reason = GapReason::too_long;
      gap.partition = partition;
      gap.offset = lost.from;
      gap.gap_end = lost.to;
      shared_->queue.push(std::move(gap));
      gaps_told_ += 1;
    }
    found[partition] = scan.take_found();
    for (const Update& update : found[partition]) {
      if (selection().names(update.source_type, update.source_id)) continue;
      others.emplace_back(update.timestamp_ms, partition, update.offset);
    }
  }
  const std::size_t count = shared_->options.from.count;
  if (others.size() > count) {
    const auto first_kept = others.end() - static_cast<std::ptrdiff_t>(count);
    std::ranges::nth_element(others, first_kept);
    const Found oldest = *first_kept;
    for (auto& entry : found) {
      const std::int32_t partition = entry.first;
      std::erase_if(entry.second, [&](const Update& update) {
        return !selection().names(update.source_type, update.source_id) &&
               Found{update.timestamp_ms, partition, update.offset} < oldest;
      });
    }
  }
  for (auto& [partition, updates] : found) {
    const std::int64_t end = ends_[partition];
    const std::int64_t beginning = updates.empty() ? end : updates.front().offset;
    start(partition, {.from = beginning, .to = end}, named_in(partition));
    if (updates.empty()) continue;
    Stream& stream = streams_.find(partition)->second;
    std::vector<Update> out;
    stream.merge.history({.from = beginning, .to = end}, std::move(updates), out);
    emit(stream, std::move(out));
  }
  scans_.clear();
  start_all();
}

void Reader::start(std::int32_t partition, OffsetRange join,
                   const std::vector<std::string>& named) {
  const PartitionMerge::Limits limits{.sources_max = sources_max_,
                                      .history_offsets_max = shared_->options.history_offsets_max};
  const auto [place, fresh] = streams_.try_emplace(
      partition, Stream{.merge = PartitionMerge{partition, limits, join, named},
                        .newest_when_asked = -1,
                        .staged = {}});
  if (fresh && paused_) place->second.merge.pause();
}

void Reader::start_all() {
  for (const auto& [partition, beginning] : beginnings_) {
    start(partition, {.from = beginning, .to = ends_[partition]}, named_in(partition));
  }
  phase_ = Phase::running;
  if (!listening_at_join_ || broke_since_asked_) {
    broken_ = true;
    break_from_ = ends_;
  }
  for (const auto& [partition, range] : early_lost_) stream_of(partition).merge.look_into(range);
  early_lost_.clear();
  for (LiveEvent& event : early_) {
    const std::int32_t partition = event.update.partition;
    give(partition, std::move(event));
  }
  early_ = {};
}

}  // namespace dualstream::subscriber
