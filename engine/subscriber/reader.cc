#include "subscriber/reader.h"

#include <algorithm>
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
  if (missed > 0 && aggregate && phase_ == Phase::running) {
    missed_ = true;
    beware();
  }
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
  beware();
  for (const auto& [partition, stream] : streams_) {
    const auto known = trusted.find(partition);
    const std::int64_t from = known != trusted.end() ? known->second : stream.merge.base();
    const auto [place, fresh] = break_from_.try_emplace(partition, from);
    if (!fresh) place->second = std::min(place->second, from);
  }
}

void Reader::beware() {
  for (auto& [partition, stream] : streams_) stream.merge.beware();
}

// ---- Where Kafka stands

void Reader::note_asked() {
  for (auto& [partition, stream] : streams_) stream.newest_when_asked = stream.merge.newest();
  // While it joins, a break at any time since the question counts.
  if (phase_ != Phase::finding) broke_since_asked_ = false;
  missed_before_asked_ = missed_before_asked_ || missed_;
  missed_ = false;
}

bool Reader::is_ahead_of(const Bounds& bounds) const noexcept {
  return std::ranges::any_of(streams_, [&bounds](const auto& each) {
    const auto& [partition, stream] = each;
    return std::cmp_less(partition, bounds.size()) &&
           stream.newest_when_asked >= bounds[static_cast<std::size_t>(partition)].end;
  });
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

bool Reader::take_doubt() noexcept {
  bool doubt = false;
  for (auto& [partition, stream] : streams_) doubt = stream.merge.take_doubt() || doubt;
  return doubt;
}

void Reader::begin_anew(const Bounds& bounds) {
  // What came since the question was asked may be of either topic: the next answer is read up to.
  broke_since_asked_ = true;
  early_.clear();
  early_lost_.clear();
  if (phase_ == Phase::finding) {
    ends_.clear();
    beginnings_.clear();
    times_to_ask_.clear();
    scans_.clear();
    scan_asked_ = false;
    begin_at(bounds);
    return;
  }
  if (phase_ != Phase::running) return;
  partition_count_ = static_cast<std::int32_t>(bounds.size());
  broken_ = true;
  break_from_.clear();
  missed_ = missed_before_asked_ = false;
  for (std::int32_t partition = 0; partition < partition_count_; ++partition) {
    break_from_[partition] = bounds[static_cast<std::size_t>(partition)].end;
    if (wants_partition(partition)) start(partition, {}, named_in(partition));
  }
  for (auto& [partition, stream] : streams_) {
    for (Staged& staged : stream.staged) {
      payloads_gone_ += staged.waits_for_payload ? 1 : 0;
      staged.waits_for_payload = false;
    }
    const auto here = break_from_.find(partition);
    std::vector<Update> out;
    stream.newest_when_asked = -1;
    stream.merge.begin_anew(here != break_from_.end() ? here->second : 0, named_in(partition), out);
    emit(stream, std::move(out));
  }
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
    cache_.add(partition, update.offset, update.id,
               {.timestamp_ms = record->timestamp_ms, .bytes = record->value});
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
      if (const PayloadCache::Payload* kept =
              cache_.find(update.partition, update.offset, update.id)) {
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
