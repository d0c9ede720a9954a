#include "subscriber/partition_merge.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace dualstream::subscriber {
namespace {

bool is_empty(const OffsetRange& range) noexcept { return range.from >= range.to; }

// The smallest range that holds both.
OffsetRange unite(const OffsetRange& a, const OffsetRange& b) noexcept {
  if (is_empty(a)) return b;
  if (is_empty(b)) return a;
  return {.from = std::min(a.from, b.from), .to = std::max(a.to, b.to)};
}

// Of what a notification tells. Ids that history shows are read from payloads, which may hold
// others.
std::uint64_t mark_of(const Update& update) noexcept {
  if (update.origin != Origin::live || update.id.empty()) return 0;
  return std::hash<std::string_view>{}(update.id);
}

}  // namespace

std::string source_key(std::string_view source_type, std::string_view source_id) {
  // The length keeps "a" + "bc" apart from "ab" + "c".
  std::string key = std::to_string(source_type.size());
  key.reserve(key.size() + 1 + source_type.size() + source_id.size());
  key.append(1, ':').append(source_type).append(source_id);
  return key;
}

PartitionMerge::PartitionMerge(std::int32_t partition, const Limits& limits, OffsetRange join,
                               const std::vector<std::string>& named)
    : partition_(partition),
      limits_(limits),
      base_(join.from),
      recent_(join.from - 1, limits.recent_max),
      forgotten_(join.from - 1),
      newest_(join.from - 1),
      marked_(join.from - 1),
      trusted_(join.from - 1) {
  settled_.add(0, base_);
  for (const std::string& key : named) {
    sources_[key] = Source{.newest = base_ - 1, .named = true, .held = {}, .place = {}};
  }
  look_into(join);
  joining_ = join.from < join.to;
}

void PartitionMerge::live(LiveEvent&& event, std::vector<Update>& out) {
  take_live(std::move(event), out);
}

void PartitionMerge::take_live(LiveEvent&& event, std::vector<Update>& out) {
  const std::int64_t offset = event.update.offset;
  if (event.previous >= offset) {  // Of another life of the topic.
    event.previous = -1;
    doubt_ = true;
  }
  if (recent_.differs(offset, mark_of(event.update))) doubt_ = true;
  if (offset < base_) {
    counts_.repeats += 1;
    return;
  }
  const std::string key = source_key(event.update.source_type, event.update.source_id);
  const auto found = sources_.find(key);
  Source* source = found == sources_.end() ? nullptr : &found->second;
  note_missing(source, event);
  if (is_repeat(source, offset)) {
    counts_.repeats += 1;
    return;
  }
  const bool is_late = source != nullptr && offset < source->newest;
  const bool behind_held = source != nullptr && !source->held.empty();
  if (!paused_ && (is_late || (!joining_ && !behind_held && follows(source, event))) &&
      !runs_ahead()) {
    counts_.live += 1;
    hand_on(std::move(event.update), found == sources_.end() ? remember(key, base_ - 1) : found,
            out);
    return;
  }
  if (runs_ahead() && !is_empty(look_) && !behind_held &&
      (event.previous >= look_.from || follows(source, event))) {
    look_into({.from = offset, .to = offset + 1});
    return;
  }
  hold(std::move(event), key, found);
}

// Where something is still to be read from: from there on it has to be known what was handed on.
std::int64_t PartitionMerge::pending_from() const noexcept {
  const std::int64_t look = is_empty(look_) ? kOffsetMax : look_.from;
  return is_empty(refill_) ? look : std::min(look, refill_.from);
}

// What is handed on now would push what is still to be read out of what recent_ knows. Then nobody
// could tell a record that was missed from one that came: sources that were seen meanwhile may be
// forgotten. So what is live is left to history, until that has caught up.
bool PartitionMerge::runs_ahead() const noexcept {
  const std::int64_t from = pending_from();
  return from < kOffsetMax && recent_.would_forget(from);
}

void PartitionMerge::beware() { look_into({.from = recent_.first_known(), .to = newest_ + 1}); }

// A predecessor that was taken for settled, and was not handed on.
void PartitionMerge::note_missing(const Source* source, const LiveEvent& event) {
  const std::int64_t previous = event.previous;
  if (previous < base_ || source == nullptr || previous >= source->newest) return;
  if (!recent_.knows(previous) || recent_.contains(previous)) return;
  if (settled_.contains(previous)) return;  // Given up, and told so; or it cannot be read.
  look_into({.from = previous, .to = previous + 1});
}

bool PartitionMerge::is_settled(const Source* source, std::int64_t offset) const noexcept {
  if (!settled_.contains(offset)) return false;
  return source == nullptr || offset < source->passed_over.from || offset >= source->passed_over.to;
}

std::int64_t PartitionMerge::next_hole(const Source& source, std::int64_t offset) const noexcept {
  const std::int64_t hole = settled_.next_hole(offset);
  const OffsetRange& passed_over = source.passed_over;
  if (passed_over.from >= hole || passed_over.to <= offset) return hole;
  return std::max(passed_over.from, offset);
}

std::int64_t PartitionMerge::next_hole(std::int64_t offset) const {
  std::int64_t hole = settled_.next_hole(offset);
  for (const std::string& key : passed_over_) {
    hole = std::min(hole, next_hole(sources_.at(key), offset));
  }
  return hole;
}

std::int64_t PartitionMerge::first_doubt(const Source* source) const noexcept {
  const std::int64_t known = source != nullptr ? source->newest : forgotten_;
  const bool named = source != nullptr && source->named;
  return std::max(base_, (named ? known : std::max(known, trusted_)) + 1);
}

bool PartitionMerge::is_repeat(const Source* source, std::int64_t offset) const noexcept {
  if (recent_.knows(offset)) {
    // What was given up stays so, once something later was handed on.
    return recent_.contains(offset) ||
           (source != nullptr && offset < source->newest && is_settled(source, offset));
  }
  if (is_settled(source, offset)) return true;
  return offset <= (source != nullptr ? source->newest : forgotten_);
}

bool PartitionMerge::follows(const Source* source, const LiveEvent& event) const noexcept {
  const std::int64_t previous = event.previous;
  if (previous < 0) {
    // Nobody knows of an event before it.
    if (source == nullptr) return true;
    return next_hole(*source, look_from(*source, event)) >= event.update.offset;
  }
  if (previous <= (source != nullptr ? source->newest : forgotten_)) return true;
  if (source == nullptr) return is_settled(source, previous);
  // It was given up, and told so; what lies before it may be had all the same.
  return next_hole(*source, std::max(source->newest + 1, base_)) > previous;
}

// Where something that was missed before `event` may lie at the earliest.
std::int64_t PartitionMerge::look_from(const Source& source,
                                       const LiveEvent& event) const noexcept {
  // That nobody knows is no sign that anything is missing, so what is old is trusted to have come.
  if (event.previous < 0) return first_doubt(&source);
  return std::max(source.newest + 1, base_);
}

void PartitionMerge::hold(LiveEvent&& event, std::string_view key, Sources::iterator source) {
  if (source == sources_.end()) {
    // It was told of an event that never came. There may be others before that one, but none that
    // is older than what is trusted.
    const std::int64_t newest = std::max(forgotten_, trusted_);
    source = remember(std::string{key},
                      event.previous < 0 ? forgotten_ : std::min(newest, event.previous - 1));
  }
  std::deque<LiveEvent>& held = source->second.held;
  if (held.empty()) blocked_.emplace_back(key);
  const auto place = std::ranges::lower_bound(
      held, event.update.offset, {}, [](const LiveEvent& other) { return other.update.offset; });
  if (place != held.end() && place->update.offset == event.update.offset) {
    counts_.repeats += 1;
    return;
  }
  held.insert(place, std::move(event));
  held_ += 1;
  if (held_ > limits_.held_max) throw_held_away();
}

// All of it lies in Kafka.
void PartitionMerge::throw_held_away() {
  OffsetRange range{.from = kOffsetMax, .to = 0};
  for (const std::string& key : blocked_) {
    Source& source = sources_.at(key);
    const LiveEvent& first = source.held.front();
    std::int64_t from = first.update.offset;
    if (follows(&source, first)) {
      // So nothing of the source lies before it: its record is not to be passed over.
      source.newest = std::max(source.newest, from - 1);
    } else {
      from = look_from(source, first);
    }
    range.from = std::min(range.from, from);
    range.to = std::max(range.to, source.held.back().update.offset + 1);
    source.held.clear();
  }
  blocked_.clear();
  held_ = 0;
  refill_ = unite(refill_, range);
}

void PartitionMerge::look_into(OffsetRange range) {
  range.from = std::max(range.from, base_);
  look_ = unite(look_, range);
}

void PartitionMerge::resume(std::vector<Update>& out) {
  if (!paused_) return;
  paused_ = false;
  release(out);
}

std::optional<OffsetRange> PartitionMerge::wanted(std::vector<Update>& out) {
  for (;;) {
    OffsetRange range{};
    look_.from = next_hole(look_.from);
    if (!is_empty(look_)) {
      range = look_;
    } else if (joining_) {
      joining_ = false;
      release(out);
    }
    refill_.from = next_hole(refill_.from);
    range = unite(range, refill_);
    for (const std::string& key : blocked_) {
      if (waits()) break;  // Its end may be all that they wait for.
      const Source& source = sources_.at(key);
      const LiveEvent& first = source.held.front();
      range = unite(
          range, {.from = next_hole(source, look_from(source, first)), .to = first.update.offset});
    }
    if (is_empty(range)) {
      // What is held and waits for nothing any more goes now.
      const std::size_t held_before = held_;
      release(out);
      if (held_ < held_before) continue;
      end_stretch();
      return std::nullopt;
    }
    if (!in_stretch_) {
      in_stretch_ = true;
      stretch_is_join_ = joining_;
      history_before_stretch_ = counts_.history;
      lost_before_stretch_ = counts_.gaps_lost;
      if (!joining_) counts_.looks += 1;
    }
    if (range.to - range.from > limits_.history_offsets_max) {
      give_up({.from = range.from, .to = range.to - limits_.history_offsets_max},
              GapReason::too_long, out);
      release(out);
      continue;
    }
    // What is settled for all need not be read again.
    if (!settled_.contains(range.from)) {
      range.to = std::min(range.to, settled_.next_member(range.from));
    }
    return range;
  }
}

void PartitionMerge::end_stretch() noexcept {
  if (!in_stretch_) return;
  in_stretch_ = false;
  const bool lost = counts_.gaps_lost > lost_before_stretch_;
  const bool brought_some = counts_.history > history_before_stretch_;
  if (brought_some && !lost && !stretch_is_join_) counts_.gaps_healed += 1;
}

void PartitionMerge::history(OffsetRange range, std::vector<Update>&& records,
                             std::vector<Update>& out) {
  for (const std::string& key : passed_over_) {
    Source& source = sources_.at(key);
    source.in_reach = next_hole(source, first_doubt(&source)) >= range.from;
  }
  for (Update& record : records) take_record(std::move(record), range, out);
  settled_.add(range.from, range.to);
  for (const std::string& key : passed_over_) {
    Source& source = sources_.at(key);
    if (!source.in_reach) source.passed_over.to = std::max(source.passed_over.to, range.to);
  }
  read_past(range.to);
  release(out);
}

// Sources that are in reach have missed nothing before `offset`.
void PartitionMerge::read_past(std::int64_t offset) {
  std::erase_if(passed_over_, [this, offset](const std::string& key) {
    Source& source = sources_.at(key);
    if (!source.in_reach) return false;
    source.passed_over.from = std::max(source.passed_over.from, offset);
    if (!is_empty(source.passed_over)) return false;
    source.passed_over = {};
    return true;
  });
}

void PartitionMerge::take_record(Update&& record, OffsetRange range, std::vector<Update>& out) {
  const std::int64_t offset = record.offset;
  if (offset < base_) return;
  std::string key = source_key(record.source_type, record.source_id);
  auto found = sources_.find(key);
  Source* source = found == sources_.end() ? nullptr : &found->second;
  const bool is_old = source != nullptr ? offset <= source->newest : offset <= forgotten_;
  const bool seen =
      is_settled(source, offset) || (recent_.knows(offset) ? recent_.contains(offset) : is_old);
  if (seen) return;
  const bool asked_for = offset >= look_.from && offset < look_.to;
  const bool passed_over = source != nullptr && !is_empty(source->passed_over);
  const bool in_reach = passed_over ? source->in_reach
                        : source != nullptr
                            ? next_hole(*source, first_doubt(source)) >= range.from
                            : settled_.next_hole(first_doubt(nullptr)) >= range.from;
  if (!asked_for && !in_reach) {
    pass_over(std::move(key), found, {.from = offset, .to = range.to});
    return;
  }
  counts_.history += 1;
  hand_on(std::move(record), source == nullptr ? remember(std::move(key), base_ - 1) : found, out);
}

void PartitionMerge::pass_over(std::string&& key, Sources::iterator source, OffsetRange range) {
  if (source == sources_.end()) source = remember(key, first_doubt(nullptr) - 1);
  Source& of = source->second;
  if (is_empty(of.passed_over)) {
    passed_over_.push_back(std::move(key));
    of.in_reach = false;
  }
  of.passed_over = unite(of.passed_over, range);
}

void PartitionMerge::hand_on(Update&& update, Sources::iterator source, std::vector<Update>& out) {
  const std::int64_t offset = update.offset;
  Source& of = source->second;
  update.late = offset < of.newest;
  if (update.late) counts_.late += 1;
  of.newest = std::max(of.newest, offset);
  if (!is_empty(of.passed_over)) {
    of.passed_over.from = std::max(of.passed_over.from, of.newest + 1);
    if (is_empty(of.passed_over)) std::erase(passed_over_, source->first);
  }
  newest_ = std::max(newest_, offset);
  recent_.insert(offset, mark_of(update), pending_from());
  if (!of.named) by_age_.splice(by_age_.end(), by_age_, of.place);
  out.push_back(std::move(update));
}

// Everything held is looked at once more, in order: what was read may be what it waited for, or
// itself.
void PartitionMerge::release(std::vector<Update>& out) {
  if (blocked_.empty() || waits()) return;
  std::vector<LiveEvent> all;
  all.reserve(held_);
  for (const std::string& key : blocked_) {
    std::deque<LiveEvent>& held = sources_.at(key).held;
    std::move(held.begin(), held.end(), std::back_inserter(all));
    held.clear();
  }
  blocked_.clear();
  held_ = 0;
  std::ranges::sort(all, {}, [](const LiveEvent& event) { return event.update.offset; });
  for (LiveEvent& event : all) take_live(std::move(event), out);
}

void PartitionMerge::begins_at(std::int64_t offset, std::vector<Update>& out) {
  std::vector<Update> none;
  const std::optional<OffsetRange> range = wanted(none);
  out.insert(out.end(), std::make_move_iterator(none.begin()), std::make_move_iterator(none.end()));
  if (!range || offset <= range->from) return;
  give_up({.from = range->from, .to = offset}, GapReason::retention, out);
  release(out);
}

void PartitionMerge::give_up(OffsetRange range, GapReason reason, std::vector<Update>& out) {
  // What of it was passed over of a source is given up from there on.
  for (const std::string& key : passed_over_) {
    const OffsetRange& passed_over = sources_.at(key).passed_over;
    if (passed_over.from < range.to && passed_over.to > range.from) {
      range.from = std::min(range.from, passed_over.from);
    }
  }
  for (const std::string& key : passed_over_) {
    Source& source = sources_.at(key);
    source.in_reach = source.passed_over.from >= range.from;
  }
  settled_.add(range.from, range.to);
  read_past(range.to);
  counts_.gaps_lost += 1;
  Update gap;
  gap.kind = UpdateKind::gap;
  gap.origin = Origin::history;
  gap.reason = reason;
  gap.partition = partition_;
  gap.offset = range.from;
  gap.gap_end = range.to;
  out.push_back(std::move(gap));
}

void PartitionMerge::begin_anew(std::int64_t end, const std::vector<std::string>& named,
                                std::vector<Update>& out) {
  end_stretch();
  Update gap;
  gap.kind = UpdateKind::gap;
  gap.origin = Origin::history;
  gap.reason = GapReason::topic_changed;
  gap.partition = partition_;
  gap.offset = newest_ + 1;
  gap.gap_end = 0;
  out.push_back(std::move(gap));
  PartitionMerge anew{partition_, limits_, {.from = 0, .to = end}, named};
  anew.paused_ = paused_;
  anew.counts_ = counts_;
  anew.counts_.gaps_lost += 1;
  *this = std::move(anew);
}

void PartitionMerge::mark() noexcept {
  const bool something_is_missing =
      held_ > 0 || !is_empty(look_) || !is_empty(refill_) || !passed_over_.empty();
  if (newest_ <= marked_ || something_is_missing) return;
  trusted_ = marked_;
  marked_ = newest_;
}

SubscriptionPhase PartitionMerge::phase() const noexcept {
  if (joining_) return SubscriptionPhase::joining;
  return held_ > 0 || !is_empty(look_) || !is_empty(refill_) ? SubscriptionPhase::catching_up
                                                             : SubscriptionPhase::live;
}

PartitionMerge::Sources::iterator PartitionMerge::remember(std::string key, std::int64_t newest) {
  while (by_age_.size() >= std::max<std::size_t>(limits_.sources_max, 1)) {
    const Source& oldest = sources_.at(*by_age_.front());
    if (!oldest.held.empty() || !is_empty(oldest.passed_over)) {
      // Something is to be read for it. Those are few.
      by_age_.splice(by_age_.end(), by_age_, by_age_.begin());
      if (blocked_.size() + passed_over_.size() >= by_age_.size()) break;
      continue;
    }
    forget_oldest();
  }
  const auto made = sources_.emplace(std::move(key), Source{}).first;
  made->second.newest = newest;
  made->second.place = by_age_.insert(by_age_.end(), &made->first);
  return made;
}

void PartitionMerge::forget_oldest() {
  const auto oldest = sources_.find(*by_age_.front());
  forgotten_ = std::max(forgotten_, oldest->second.newest);
  by_age_.pop_front();
  sources_.erase(oldest);
}

}  // namespace dualstream::subscriber
