#include "subscriber/reader.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "kafka/partitioner.h"

namespace dualstream::subscriber {
namespace {

// Live events kept until it is known where the reader begins.
constexpr std::size_t kEarlyMax = 16'384;
// Payloads that are fetched in one read lie within so many offsets of the first.
constexpr std::int64_t kPayloadSpanMax = 4'000;

}  // namespace

Reader::Reader(std::uint64_t id, std::shared_ptr<SubscriptionImpl> shared, std::size_t sources_max,
               PayloadCache& cache, RecordDecoder& decoder)
    : id_(id),
      shared_(std::move(shared)),
      sources_max_(sources_max),
      cache_(cache),
      decoder_(decoder) {}

// ---- Live

void Reader::take_frame(const redis::Topic& topic, const std::string& source_type,
                        std::vector<redis::Told> told, std::uint64_t missed) {
  const bool aggregate = selection().is_aggregate(topic);
  if (missed > 0 && aggregate && phase_ == Phase::running) missed_ = true;
  for (redis::Told& each : told) {
    LiveEvent event;
    event.previous = each.previous;
    event.update.id = std::move(each.id);
    event.update.type = std::move(each.type);
    event.update.source_type = source_type;
    event.update.source_id = std::move(each.source_id);
    event.update.partition = each.partition;
    event.update.offset = each.offset;
    if (aggregate && !selection().selects(source_type, event.update.source_id)) continue;
    if (each.offset < 0 || each.partition < 0) {
      // Told before Kafka has it: there is no order to keep and nothing to look for.
      if (phase_ == Phase::running) shared_->queue.push(std::move(event.update));
      continue;
    }
    if (phase_ == Phase::running) {
      give(each.partition, std::move(event));
      continue;
    }
    if (early_.size() >= kEarlyMax) {
      const Update& lost = early_.front().update;
      OffsetRange& range =
          early_lost_.try_emplace(lost.partition, OffsetRange{lost.offset, lost.offset})
              .first->second;
      range.from = std::min(range.from, lost.offset);
      range.to = std::max(range.to, lost.offset + 1);
      early_.pop_front();
    }
    early_.push_back(std::move(event));
  }
  // After each frame, not after each cycle: a cycle can bring a thousand of them.
  look_at_queue();
}

void Reader::give(std::int32_t partition, LiveEvent&& event) {
  Stream& stream = stream_of(partition);
  std::vector<Update> out;
  stream.merge.live(std::move(event), out);
  emit(stream, std::move(out));
}

// A partition that is new to a running reader is new to the topic: all of it is wanted.
Reader::Stream& Reader::stream_of(std::int32_t partition) {
  const auto found = streams_.find(partition);
  if (found != streams_.end()) return found->second;
  start(partition, {.from = 0, .to = 0}, all_named());
  return streams_.find(partition)->second;
}

void Reader::note_break(const Offsets& trusted) {
  broke_since_asked_ = true;
  if (phase_ != Phase::running) return;
  broken_ = true;
  for (const auto& [partition, stream] : streams_) {
    const auto known = trusted.find(partition);
    const std::int64_t from = known != trusted.end() ? known->second : stream.merge.base();
    const auto [place, fresh] = break_from_.try_emplace(partition, from);
    if (!fresh) place->second = std::min(place->second, from);
  }
}

// ---- Where Kafka stands

void Reader::note_asked() noexcept {
  // While it joins, a break at any time since the question counts.
  if (phase_ != Phase::finding) broke_since_asked_ = false;
  missed_before_asked_ = missed_before_asked_ || missed_;
  missed_ = false;
}

void Reader::begin(std::uint64_t ticket) noexcept {
  phase_ = Phase::asking;
  bounds_wanted_ = ticket;
}

void Reader::take_bounds(const Bounds& bounds, bool listening, const Offsets& trusted) {
  bounds_wanted_ = 0;
  if (phase_ == Phase::asking) {
    listening_at_join_ = listening;
    begin_at(bounds);
    return;
  }
  if (phase_ != Phase::running) return;
  if (!selection().named_only()) {
    // It has grown.
    for (std::int32_t partition = partition_count_; std::cmp_less(partition, bounds.size());
         ++partition) {
      stream_of(partition).merge.look_into(
          {.from = 0, .to = bounds[static_cast<std::size_t>(partition)].end});
    }
  }
  partition_count_ = std::max(partition_count_, static_cast<std::int32_t>(bounds.size()));
  for (auto& [partition, stream] : streams_) {
    if (std::cmp_greater_equal(partition, bounds.size())) continue;
    const std::int64_t end = bounds[static_cast<std::size_t>(partition)].end;
    if (broken_) {
      const auto from = break_from_.find(partition);
      stream.merge.look_into(
          {.from = from != break_from_.end() ? from->second : stream.merge.base(), .to = end});
    }
    if (missed_before_asked_) {
      const auto known = trusted.find(partition);
      stream.merge.look_into(
          {.from = known != trusted.end() ? known->second : stream.merge.base(), .to = end});
    }
  }
  missed_before_asked_ = false;
  if (!listening || broke_since_asked_) return;  // It stays broken.
  broken_ = false;
  break_from_.clear();
}

std::vector<std::string> Reader::all_named() const {
  std::vector<std::string> keys;
  for (const SourceName& source : selection().named()) {
    keys.push_back(source_key(source.source_type, source.source_id));
  }
  return keys;
}

std::vector<std::string> Reader::named_in(std::int32_t partition) const {
  std::vector<std::string> keys;
  for (const SourceName& source : selection().named()) {
    if (kafka::partition_of(source.source_id, partition_count_) != partition) continue;
    keys.push_back(source_key(source.source_type, source.source_id));
  }
  return keys;
}

void Reader::begin_at(const Bounds& bounds) {
  partition_count_ = static_cast<std::int32_t>(bounds.size());
  const From& from = shared_->options.from;
  const auto partition_wanted = [&](std::int32_t partition) {
    return !selection().named_only() || !named_in(partition).empty();
  };
  for (std::int32_t partition = 0; partition < partition_count_; ++partition) {
    if (!partition_wanted(partition)) continue;
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
      partition, Stream{.merge = PartitionMerge{partition, limits, join, named}, .staged = {}});
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

// ---- History and payloads

std::vector<std::int32_t> Reader::partitions() const {
  std::vector<std::int32_t> all;
  all.reserve(streams_.size());
  for (const auto& [partition, stream] : streams_) all.push_back(partition);
  return all;
}

std::optional<OffsetRange> Reader::history_wanted(std::int32_t partition) {
  const auto found = streams_.find(partition);
  if (phase_ != Phase::running || paused_ || found == streams_.end()) return std::nullopt;
  std::vector<Update> out;
  const std::optional<OffsetRange> range = found->second.merge.wanted(out);
  emit(found->second, std::move(out));
  return range;
}

std::optional<OffsetRange> Reader::payload_wanted(std::int32_t partition) const {
  const auto found = streams_.find(partition);
  if (found == streams_.end()) return std::nullopt;
  OffsetRange range{};
  for (const Staged& staged : found->second.staged) {
    if (!staged.waits_for_payload) continue;
    const std::int64_t offset = staged.update.offset;
    if (range.to == 0) range = {.from = offset, .to = offset + 1};
    if (offset < range.from || offset - range.from > kPayloadSpanMax) break;
    range.to = std::max(range.to, offset + 1);
  }
  if (range.to == 0) return std::nullopt;
  return range;
}

bool Reader::select(Update& update) const {
  if (update.source_type.empty()) {
    const std::optional<std::string> type = selection().named_type_of(update.source_id);
    if (!type) return false;
    update.source_type = *type;
    return true;
  }
  return selection().selects(update.source_type, update.source_id);
}

std::vector<Update> Reader::selected(std::int32_t partition, std::int64_t from,
                                     const kafka::ReadAnswer& answer) const {
  std::vector<Update> updates;
  for (const kafka::Record& record : answer.records) {
    if (record.offset < from || record.offset >= answer.next) continue;
    if (!selection().may_select(record.key)) continue;
    Update update = decoder_.decode(partition, record, shared_->options.payload);
    if (select(update)) updates.push_back(std::move(update));
  }
  return updates;
}

void Reader::take_read(std::int32_t partition, std::int64_t from, const kafka::ReadAnswer& answer) {
  const auto found = streams_.find(partition);
  if (found == streams_.end()) return;
  Stream& stream = found->second;
  for (Staged& staged : stream.staged) {
    Update& update = staged.update;
    if (!staged.waits_for_payload) continue;
    const bool gone = answer.begin > update.offset;
    if (!gone && (update.offset < from || update.offset >= answer.next)) continue;
    staged.waits_for_payload = false;
    const auto record =
        std::ranges::lower_bound(answer.records, update.offset, {}, &kafka::Record::offset);
    if (gone || record == answer.records.end() || record->offset != update.offset) {
      payloads_gone_ += 1;
      continue;
    }
    update.payload = record->value;
    update.has_payload = true;
    update.timestamp_ms = record->timestamp_ms;
    cache_.add(partition, update.offset, record->timestamp_ms, record->value);
  }
  const std::optional<OffsetRange> wanted = history_wanted(partition);
  std::vector<Update> out;
  if (wanted && answer.begin > wanted->from && wanted->from >= from) {
    stream.merge.begins_at(answer.begin, out);
  } else if (wanted && wanted->from >= from && wanted->from < answer.next) {
    stream.merge.history({.from = wanted->from, .to = answer.next},
                         selected(partition, wanted->from, answer), out);
  }
  emit(stream, std::move(out));
  drain(stream);
}

void Reader::emit(Stream& stream, std::vector<Update>&& updates) {
  for (Update& update : updates) {
    bool waits = false;
    if (shared_->options.payload && update.kind == UpdateKind::event && !update.has_payload) {
      if (const PayloadCache::Payload* kept = cache_.find(update.partition, update.offset)) {
        update.payload = kept->bytes;
        update.has_payload = true;
        update.timestamp_ms = kept->timestamp_ms;
      } else {
        waits = true;
      }
    }
    stream.staged.push_back({.update = std::move(update), .waits_for_payload = waits});
    staged_ += 1;
  }
  drain(stream);
}

void Reader::drain(Stream& stream) {
  while (!stream.staged.empty() && !stream.staged.front().waits_for_payload) {
    shared_->queue.push(std::move(stream.staged.front().update));
    stream.staged.pop_front();
    staged_ -= 1;
  }
}

void Reader::look_at_queue() {
  if (phase_ != Phase::running) return;
  const std::size_t staged_max = shared_->options.queue_updates_max;
  if (!paused_ && (shared_->queue.full() || staged_ >= staged_max)) {
    paused_ = true;
    overruns_ += 1;
    for (auto& [partition, stream] : streams_) stream.merge.pause();
  } else if (paused_ && shared_->queue.has_room() && staged_ <= staged_max / 2) {
    paused_ = false;
    for (auto& [partition, stream] : streams_) {
      std::vector<Update> out;
      stream.merge.resume(out);
      emit(stream, std::move(out));
    }
  }
}

void Reader::mark() noexcept {
  for (auto& [partition, stream] : streams_) stream.merge.mark();
}

void Reader::publish_stats() {
  SubscriptionStats stats;
  stats.overruns = overruns_;
  stats.payloads_gone = payloads_gone_;
  stats.not_understood = not_understood_;
  stats.gaps_lost = gaps_told_;
  SubscriptionPhase phase =
      phase_ == Phase::running ? SubscriptionPhase::live : SubscriptionPhase::joining;
  if (phase_ == Phase::running && (broken_ || missed_ || missed_before_asked_ || paused_)) {
    phase = SubscriptionPhase::catching_up;
  }
  for (const auto& [partition, stream] : streams_) {
    const PartitionMerge::Counts& counts = stream.merge.counts();
    stats.live += counts.live;
    stats.history += counts.history;
    stats.repeats += counts.repeats;
    stats.late += counts.late;
    stats.looks += counts.looks;
    stats.gaps_healed += counts.gaps_healed;
    stats.gaps_lost += counts.gaps_lost;
    const SubscriptionPhase here = stream.merge.phase();
    if (here == SubscriptionPhase::joining) phase = here;
    if (here == SubscriptionPhase::catching_up && phase == SubscriptionPhase::live) phase = here;
  }
  stats.phase = phase;
  shared_->set_stats(stats);
}

}  // namespace dualstream::subscriber
