#include "subscriber/subscriber_worker.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace dualstream::subscriber {
namespace {

// What Kafka could not answer is asked again after this.
constexpr base::Duration kRetryAfter = std::chrono::milliseconds{200};
// How often ends are asked for while all is well, at the most.
constexpr base::Duration kSampleEvery = std::chrono::seconds{2};
// A server may have been silent for so long before that is taken for a break.
constexpr base::Duration kSilenceMax = std::chrono::seconds{60};
// Messages taken in a cycle, so that answers and readers have their turn.
constexpr std::size_t kMessagesPerCycle = 1'024;
constexpr std::size_t kAnswersPerCycle = 16;
// How soon they are asked for when a notification tells of another event at an offset than before.
constexpr base::Duration kDoubtAfter = std::chrono::milliseconds{100};
// How often the topic may be taken for a new one on the word of notifications: they may be
// another cluster's, on the same channels.
constexpr base::Duration kDoubtCountsEvery = std::chrono::minutes{1};
// Two readers' stretches that lie so near are read in one.
constexpr std::int64_t kNear = 1'000;

LogKind kind_of(StatusCode code) noexcept {
  if (code == StatusCode::unauthorized) return LogKind::kafka_unauthorized;
  return code == StatusCode::unknown_topic ? LogKind::kafka_topic : LogKind::kafka_unreachable;
}

}  // namespace

SubscriberWorker::SubscriberWorker(Settings settings,
                                   std::unique_ptr<redis::RedisSubscription> redis,
                                   HistoryWorker& history, base::Parker& parker, base::Log& log)
    : settings_(std::move(settings)),
      redis_(std::move(redis)),
      history_(history),
      parker_(parker),
      log_(log),
      decoder_(settings_.json),
      cache_(settings_.payload_cache_bytes_max) {
  if (redis_) redis_health_.store(LinkHealth::connecting, std::memory_order_relaxed);
}

void SubscriberWorker::add(std::shared_ptr<SubscriptionImpl> subscription) {
  {
    const std::lock_guard lock{mutex_};
    incoming_.push_back(std::move(subscription));
  }
  parker_.unpark();
}

SubscriberState SubscriberWorker::state() const noexcept {
  return {.redis = redis_health_.load(std::memory_order_relaxed),
          .kafka = kafka_health_.load(std::memory_order_relaxed)};
}

void SubscriberWorker::stop() noexcept {
  stopping_.store(true, std::memory_order_release);
  parker_.unpark();
}

std::size_t SubscriberWorker::do_work(base::TimePoint now) {
  if (finished_) return 0;
  if (stopping_.load(std::memory_order_acquire)) {
    for (const std::unique_ptr<Reader>& reader : readers_) reader->shared().queue.close();
    const std::lock_guard lock{mutex_};
    for (const auto& subscription : incoming_) subscription->queue.close();
    finished_ = true;
    return 1;
  }
  std::size_t work = admit();
  work += listen(now);
  work += settle(now);
  if (now - marked_at_ >= settings_.notification_delay_max) {
    marked_at_ = now;
    for (const std::unique_ptr<Reader>& reader : readers_) reader->mark();
  }
  for (const std::unique_ptr<Reader>& reader : readers_) {
    advance(*reader);
    if (reader->take_doubt()) {
      topic_doubted_ = true;
      bounds_due_at_ = std::min(bounds_due_at_, bounds_asked_at_ + kDoubtAfter);
    }
  }
  ask_for_bounds(now);
  ask_to_read(now);
  if (work > 0) {
    for (const std::unique_ptr<Reader>& reader : readers_) reader->publish_stats();
  }
  return work;
}

base::WakeUp SubscriberWorker::wake_up() const {
  base::WakeUp wake_up = redis_ ? redis_->wake_up() : base::WakeUp{};
  if (readers_.empty()) return wake_up;
  if (!bounds_asked_) wake_up.at = std::min(wake_up.at, bounds_due_at_);
  wake_up.at = std::min(wake_up.at, marked_at_ + settings_.notification_delay_max);
  if (topic_missing_) return wake_up;
  for (const auto& [partition, reads] : reads_) {
    if (!reads.asked && reads.retry_at != base::TimePoint{}) {
      wake_up.at = std::min(wake_up.at, reads.retry_at);
    }
  }
  for (const auto& [id, at] : scan_retry_at_) wake_up.at = std::min(wake_up.at, at);
  return wake_up;
}

// ---- Readers come and go

std::size_t SubscriberWorker::admit() {
  std::vector<std::shared_ptr<SubscriptionImpl>> incoming;
  {
    const std::lock_guard lock{mutex_};
    incoming.swap(incoming_);
  }
  for (std::shared_ptr<SubscriptionImpl>& subscription : incoming) {
    Reader& reader = *readers_.emplace_back(std::make_unique<Reader>(
        ++ids_, std::move(subscription), settings_.sources_remembered_max, cache_, decoder_));
    for (const redis::Topic& topic : reader.selection().topics()) {
      routes_[topic].push_back(&reader);
      if (redis_) redis_->add(topic);
    }
  }
  const auto left = std::erase_if(readers_, [this](const std::unique_ptr<Reader>& reader) {
    if (!reader->shared().gone.load(std::memory_order_acquire)) return false;
    for (const redis::Topic& topic : reader->selection().topics()) {
      if (redis_) redis_->remove(topic);
      const auto route = routes_.find(topic);
      std::erase(route->second, reader.get());
      if (route->second.empty()) routes_.erase(route);
    }
    scan_retry_at_.erase(reader->id());
    return true;
  });
  return incoming.size() + left;
}

Reader* SubscriberWorker::reader(std::uint64_t id) {
  const auto found = std::ranges::find_if(
      readers_, [id](const std::unique_ptr<Reader>& each) { return each->id() == id; });
  return found == readers_.end() ? nullptr : found->get();
}

bool SubscriberWorker::redis_ready() const noexcept {
  return redis_ && redis_->health() == LinkHealth::ready;
}

bool SubscriberWorker::listens(const Reader& reader) const {
  return redis_ready() &&
         std::ranges::all_of(reader.selection().topics(), [this](const redis::Topic& topic) {
           return redis_->confirmed(topic);
         });
}

// ---- Redis

std::size_t SubscriberWorker::listen(base::TimePoint now) {
  if (!redis_) return 0;
  std::size_t work = redis_->do_work(now);
  redis::ChannelMessage message;
  for (std::size_t count = 0; count < kMessagesPerCycle && redis_->next(now, message); ++count) {
    route(message);
    work += 1;
  }
  redis_health_.store(redis_->health(), std::memory_order_relaxed);
  if (redis_->breaks() != breaks_) {
    breaks_ = redis_->breaks();
    note_break();
  }
  return work;
}

void SubscriberWorker::route(const redis::ChannelMessage& message) {
  const redis::Topic topic{
      .is_pattern = !message.pattern.empty(),
      .name = std::string{message.pattern.empty() ? message.channel : message.pattern}};
  const auto found = routes_.find(topic);
  if (found == routes_.end()) return;  // Whoever wanted it has just left.
  const std::optional<std::string> source_type =
      redis::source_type_of(message.channel, settings_.templates);
  std::vector<redis::Told> told;
  std::uint64_t missed = 0;
  std::string reason;
  if (!source_type || !frames_.read(message.text, told, missed, reason)) {
    for (Reader* reader : found->second) reader->count_not_understood();
    return;
  }
  // The last one may have it for good.
  const std::vector<Reader*>& readers = found->second;
  for (std::size_t i = 0; i + 1 < readers.size(); ++i) {
    readers[i]->take_frame(topic, *source_type, told, missed);
  }
  readers.back()->take_frame(topic, *source_type, std::move(told), missed);
}

// The newest ends that were asked for at `time` or before it.
Offsets SubscriberWorker::trusted_at(base::TimePoint time) const {
  const Sample* newest = nullptr;
  for (const Sample& sample : samples_) {
    if (sample.at <= time) newest = &sample;
  }
  return newest != nullptr ? newest->ends : Offsets{};
}

void SubscriberWorker::note_break() {
  const Offsets trusted = trusted_at(redis_->heard_at() - settings_.notification_delay_max);
  for (const std::unique_ptr<Reader>& reader : readers_) reader->note_break(trusted);
}

// ---- Kafka

std::size_t SubscriberWorker::settle(base::TimePoint now) {
  std::size_t work = 0;
  for (; work < kAnswersPerCycle; ++work) {
    const std::optional<Answer> answer = history_.answer();
    if (!answer) break;
    note_kafka(answer->status);
    if (answer->question.life != life_) continue;  // Of a topic that is gone.
    switch (answer->question.kind) {
      case Question::Kind::bounds:
        take_bounds(*answer, now);
        break;
      case Question::Kind::offset_at:
        if (Reader* asked = reader(answer->question.ticket)) {
          asked->take_time(answer->question.request.partition,
                           answer->status.ok() ? std::optional{answer->offset} : std::nullopt);
        }
        break;
      case Question::Kind::read:
        take_read(*answer, now);
        break;
      case Question::Kind::rest:
        break;
    }
  }
  return work;
}

void SubscriberWorker::take_bounds(const Answer& answer, base::TimePoint now) {
  bounds_asked_ = false;
  const std::uint64_t ticket = answer.question.ticket;
  const std::vector<std::uint64_t> listened = std::exchange(listened_[ticket], {});
  listened_.erase(ticket);
  if (!answer.status.ok()) {
    bounds_due_at_ = now + kRetryAfter;
    topic_missing_ = topic_missing_ || answer.status.code == StatusCode::unknown_topic;
    return;
  }
  if (is_anew(answer.bounds, now)) begin_anew(answer.bounds);
  topic_missing_ = topic_doubted_ = false;
  bounds_due_at_ =
      now + (redis_ready() ? std::min(kSampleEvery, settings_.notification_delay_max / 3)
                           : settings_.outage_poll);
  Offsets ends;
  for (std::size_t partition = 0; partition < answer.bounds.size(); ++partition) {
    ends[static_cast<std::int32_t>(partition)] = answer.bounds[partition].end;
  }
  const Offsets trusted = trusted_at(bounds_asked_at_ - settings_.notification_delay_max);
  samples_.push_back({.at = bounds_asked_at_, .ends = std::move(ends)});
  // One that is old enough is kept, and those that will be.
  const base::TimePoint oldest = now - 2 * settings_.notification_delay_max - kSilenceMax;
  while (samples_.size() > 2 && samples_[1].at <= oldest) {
    samples_.pop_front();
  }
  for (const std::unique_ptr<Reader>& reader : readers_) {
    const bool listening = std::ranges::find(listened, reader->id()) != listened.end();
    const bool due = reader->bounds_wanted() != 0 && ticket >= reader->bounds_wanted();
    // While Redis is away every answer is one to read up to.
    if (due || (reader->broken() && !listening))
      reader->take_bounds(answer.bounds, listening, trusted);
  }
}

// Ends never go back while a topic lives. Where they were small when Kafka last said so, what was
// handed on since tells as well, but for what another cluster's notifications tell.
bool SubscriberWorker::is_anew(const Bounds& bounds, base::TimePoint now) {
  const bool went_back =
      !samples_.empty() && std::ranges::any_of(samples_.back().ends, [&bounds](const auto& before) {
        const auto [partition, end] = before;
        return std::cmp_greater_equal(partition, bounds.size()) ||
               bounds[static_cast<std::size_t>(partition)].end < end;
      });
  if (went_back) return true;
  const bool doubted = topic_doubted_ && now >= doubt_counts_from_;
  const bool ahead =
      (topic_missing_ || doubted) &&
      std::ranges::any_of(readers_, [&bounds](const std::unique_ptr<Reader>& reader) {
        return reader->is_ahead_of(bounds);
      });
  if (ahead && !topic_missing_) doubt_counts_from_ = now + kDoubtCountsEvery;
  return ahead;
}

void SubscriberWorker::begin_anew(const Bounds& bounds) {
  log_.write(LogKind::kafka_topic, LogLevel::warning,
             "kafka: the topic was made anew; readers are told, and go on with what it holds now");
  life_ += 1;
  samples_.clear();
  cache_.clear();
  scan_retry_at_.clear();
  for (auto& [partition, reads] : reads_) reads = {};
  ask({.kind = Question::Kind::rest});
  for (const std::unique_ptr<Reader>& reader : readers_) reader->begin_anew(bounds);
}

void SubscriberWorker::ask(Question question) {
  question.life = life_;
  history_.ask(question);
}

void SubscriberWorker::take_read(const Answer& answer, base::TimePoint now) {
  const kafka::ReadRequest& request = answer.question.request;
  if (answer.question.ticket != 0) {
    Reader* asked = reader(answer.question.ticket);
    if (asked == nullptr) return;
    if (!answer.status.ok()) scan_retry_at_[asked->id()] = now + kRetryAfter;
    asked->take_scan(request, answer.status.ok() ? &answer.read : nullptr);
    return;
  }
  PartitionReads& reads = reads_[request.partition];
  reads.asked = false;
  reads.retry_at = {};
  if (!answer.status.ok()) {
    reads.retry_at = now + kRetryAfter;
    if (answer.status.code == StatusCode::unknown_topic) {
      topic_missing_ = true;
      bounds_due_at_ = std::min(bounds_due_at_, reads.retry_at);
    }
    return;
  }
  for (const std::unique_ptr<Reader>& each : readers_) {
    each->take_read(request.partition, request.from, answer.read);
  }
}

void SubscriberWorker::advance(Reader& reader) {
  reader.look_at_queue();
  switch (reader.phase()) {
    case Reader::Phase::waiting: {
      const bool without = !redis_ || redis_->health() == LinkHealth::away ||
                           redis_->health() == LinkHealth::refused;
      if (without || listens(reader)) reader.begin(bounds_ticket_ + 1);
      break;
    }
    case Reader::Phase::asking:
      break;
    case Reader::Phase::finding:
      for (const std::int32_t partition : reader.times_wanted()) {
        const auto since = reader.shared().options.from.time.time_since_epoch();
        ask({.kind = Question::Kind::offset_at,
             .ticket = reader.id(),
             .timestamp_ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count(),
             .request = {.partition = partition}});
      }
      break;
    case Reader::Phase::running:
      if (reader.bounds_wanted() != 0) break;
      if (reader.missed() || (reader.broken() && listens(reader))) {
        reader.want_bounds(bounds_ticket_ + 1);
      }
      break;
  }
}

void SubscriberWorker::ask_for_bounds(base::TimePoint now) {
  if (bounds_asked_ || readers_.empty()) return;
  const bool wanted = std::ranges::any_of(
      readers_, [](const std::unique_ptr<Reader>& reader) { return reader->bounds_wanted() != 0; });
  // After a failure a while has to pass.
  const bool failing =
      kafka_health_.load(std::memory_order_relaxed) != LinkHealth::ready && bounds_ticket_ > 0;
  if (now < bounds_due_at_ && (!wanted || failing)) return;
  bounds_asked_ = true;
  bounds_asked_at_ = now;
  bounds_ticket_ += 1;
  for (const std::unique_ptr<Reader>& reader : readers_) {
    reader->note_asked();
    if (listens(*reader)) listened_[bounds_ticket_].push_back(reader->id());
  }
  ask({.kind = Question::Kind::bounds, .ticket = bounds_ticket_});
}

void SubscriberWorker::ask_to_read(base::TimePoint now) {
  if (topic_missing_) return;
  Wants history;
  Wants payloads;
  for (const std::unique_ptr<Reader>& each : readers_) {
    if (each->phase() == Reader::Phase::finding) ask_to_scan(*each, now);
    for (const std::int32_t partition : each->partitions()) {
      const PartitionReads& reads = reads_[partition];
      if (reads.asked || now < reads.retry_at) continue;
      if (const auto range = each->history_wanted(partition)) history[partition].push_back(*range);
      if (const auto range = each->payload_wanted(partition)) payloads[partition].push_back(*range);
    }
  }
  for (auto& entry : reads_) {
    PartitionReads& reads = entry.second;
    std::vector<OffsetRange>& of_history = history[entry.first];
    std::vector<OffsetRange>& of_payloads = payloads[entry.first];
    if (of_history.empty() && of_payloads.empty()) continue;
    const bool payload = of_history.empty() || (reads.payload_first && !of_payloads.empty());
    reads.payload_first = !payload;
    reads.asked = true;
    ask_for_nearest(entry.first, payload ? of_payloads : of_history);
  }
}

void SubscriberWorker::ask_to_scan(Reader& reader, base::TimePoint now) {
  const auto retry = scan_retry_at_.find(reader.id());
  if (retry != scan_retry_at_.end() && now < retry->second) return;
  scan_retry_at_.erase(reader.id());
  if (const std::optional<kafka::ReadRequest> request = reader.scan_wanted()) {
    ask({.kind = Question::Kind::read, .ticket = reader.id(), .request = *request});
  }
}

// The lowest first, as it is what the others wait behind, and whatever lies near it.
void SubscriberWorker::ask_for_nearest(std::int32_t partition, std::vector<OffsetRange>& ranges) {
  std::ranges::sort(ranges, {}, &OffsetRange::from);
  OffsetRange all = ranges.front();
  for (const OffsetRange& range : ranges) {
    if (range.from > all.to + kNear) break;
    all.to = std::max(all.to, range.to);
  }
  ask({.kind = Question::Kind::read,
       .request = {.partition = partition, .from = all.from, .to = all.to}});
}

void SubscriberWorker::note_kafka(const Status& status) {
  const LinkHealth before = kafka_health_.load(std::memory_order_relaxed);
  const LinkHealth after = status.ok()                               ? LinkHealth::ready
                           : status.code == StatusCode::unauthorized ? LinkHealth::refused
                                                                     : LinkHealth::away;
  if (after == before) return;
  kafka_health_.store(after, std::memory_order_relaxed);
  if (status.ok()) {
    log_.write(LogKind::kafka_recovered, LogLevel::info, "kafka: history can be read");
  } else {
    log_.write(kind_of(status.code), LogLevel::warning,
               "kafka: history cannot be read (" + status.message +
                   "); what was missed waits until it can, and live updates go "
                   "on for sources that missed nothing");
  }
}

}  // namespace dualstream::subscriber
