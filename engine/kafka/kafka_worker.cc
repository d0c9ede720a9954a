#include "kafka/kafka_worker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "kafka/partitioner.h"

namespace dualstream::kafka {
namespace {

// How long a client that had no room is left alone.
constexpr base::Duration kNoRoomPause = std::chrono::milliseconds{5};

// While every lane waits for reports.
constexpr base::Duration kGatedNap = std::chrono::milliseconds{1};

// A nap is this part of the linger.
constexpr int kNapShare = 8;

// How many events ahead are fetched into the cache.
constexpr std::size_t kPrefetch = 16;

// How much later than its time an event may expire: expiry looks at every partition, so it does so
// now and then.
constexpr base::Duration kExpiryStep = std::chrono::milliseconds{100};

// A batch of one record is so much larger than key and value at the most: 61 bytes of batch header,
// and lengths, deltas and attributes of the record (Kafka's record format v2).
constexpr std::size_t kLoneRecordOverheadBytes = 61 + 22;
// And for this part of a batch's bytes may Batcher::kRecordOverheadBytes be short: up to 4 bytes
// for a record of 8 KiB or more, whose length takes a third byte.
constexpr std::size_t kEstimateShare = 1024;

constexpr std::string_view kStoppedDetail = "the engine stopped before Kafka took it";

LogKind kind_of(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::unreachable:
      return LogKind::kafka_unreachable;
    case NoticeKind::unauthorized:
      return LogKind::kafka_unauthorized;
    case NoticeKind::topic:
      return LogKind::kafka_topic;
    case NoticeKind::error:
      return LogKind::kafka_error;
    case NoticeKind::rebuilt:
      return LogKind::kafka_rebuilt;
    case NoticeKind::info:
      return LogKind::kafka_client;
  }
  return LogKind::kafka_error;
}

// What an earlier client may have had appended may be there, whatever became of it later.
Persisted persisted_of(const Report& report) noexcept {
  const bool doubtful = report.failure != Failure::none && report.event->may_be_in_log();
  return doubtful ? Persisted::maybe : report.persisted;
}

// What a notice says of Kafka's health, if anything: the client goes on by itself after most.
std::optional<KafkaHealth> health_of(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::unreachable:
      return KafkaHealth::unreachable;
    case NoticeKind::unauthorized:
      return KafkaHealth::unauthorized;
    case NoticeKind::topic:
      return KafkaHealth::topic;
    case NoticeKind::error:
    case NoticeKind::rebuilt:
    case NoticeKind::info:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string_view meaning_of(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::unreachable:
      return "; events are buffered and sent when a broker answers";
    case NoticeKind::unauthorized:
      return "; events fail until the credentials or rights are mended";
    case NoticeKind::topic:
      return "; its events fail until it is there";
    case NoticeKind::error:
      return "; the client goes on by itself";
    case NoticeKind::rebuilt:
    case NoticeKind::info:
      return "";
  }
  return "";
}

}  // namespace

KafkaWorker::KafkaWorker(Settings settings, std::unique_ptr<KafkaProducer> producer,
                         event::EventQueue& events, event::NotificationQueue* notifications,
                         base::Counters& counters, base::Log& log)
    : settings_(std::move(settings)),
      producer_(std::move(producer)),
      events_(events),
      notifications_(notifications),
      counters_(counters),
      log_(log),
      batcher_(settings_.batching),
      taken_(kEventsPerCycle),
      reports_(kReportsPerCycle) {
  outcomes_.reserve(kReportsPerCycle);
  follow_topic();  // What connect() learned holds from the first publish() on.
}

KafkaWorker::~KafkaWorker() = default;

std::size_t KafkaWorker::do_work(base::TimePoint now) {
  if (finished_) return 0;
  now_ = now;
  // Reports first: they open the gates for the batches that are handed over last.
  std::size_t work = forward_reports();
  follow_topic();
  follow_notices();
  work += take_events(now);
  work += expire(now);
  work += hand_over_batches(now);
  advance_stop(now);
  return work;
}

base::WakeUp KafkaWorker::wake_up() const {
  base::TimePoint at = std::min(std::max(batcher_.next_ready_at(), hand_over_at_), expire_at_);
  at = std::min(at, producer_->poll_at());
  if (stopping_ == Stopping::draining)
    at = std::min(at, give_up_at_.load(std::memory_order_acquire));
  if (stopping_ == Stopping::purging) at = std::min(at, close_at_);
  // The producer writes to the worker's own eventfd. An event that may linger may also wait a part
  // of that to be seen: under a steady trickle the naps would cost more than the events.
  base::WakeUp wake_up{.at = at};
  wake_up.nap = std::max(wake_up.nap, settings_.batching.linger / kNapShare);
  // A report ends a nap; before one there is no use in looking.
  if (batcher_.all_gated()) wake_up.nap = std::max(wake_up.nap, kGatedNap);
  return wake_up;
}

void KafkaWorker::stop_by(base::TimePoint give_up_at) noexcept {
  give_up_at_.store(give_up_at, std::memory_order_release);
}

std::size_t KafkaWorker::forward_reports() {
  const std::size_t count = producer_->poll_reports(reports_);
  if (count == 0) return 0;
  const std::span reports = std::span{reports_}.first(count);
  std::size_t settled = 0;
  for (std::size_t i = 0; i < count;) {
    // Reports come in runs of one lane.
    const std::int32_t lane = reports[i].lane;
    const std::size_t first = i;
    for (; i < count && reports[i].lane == lane; ++i) {
      if (refused_for_its_batch(reports[i])) [[unlikely]] {
        if (stopping_ != Stopping::purging) {
          batcher_.send_again_smaller(lane, std::move(reports[i].event));
          continue;
        }
        give_up_on(reports[i]);
      }
      if (settled != i) reports[settled] = std::move(reports[i]);
      settled += 1;
    }
    batcher_.reported(lane, i - first);
  }
  if (settled < count) counters_.add(Counter::retried_batches);
  settle(reports.first(settled));
  return count;
}

// A broker refuses a batch as a whole, also for the sake of one event, and when the topic's limit
// was lowered meanwhile. An event that is refused alone is the culprit.
bool KafkaWorker::refused_for_its_batch(const Report& report) const noexcept {
  return report.failure == Failure::too_large && report.persisted == Persisted::no &&
         !batcher_.outstanding_alone(report.lane);
}

// It would have gone again.
void KafkaWorker::give_up_on(Report& report) noexcept {
  report.failure = Failure::stopped;
  report.detail = kStoppedDetail;
}

std::size_t KafkaWorker::take_events(base::TimePoint now) {
  const std::size_t count = events_.pop(taken_);
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kPrefetch < count) event::Event::prefetch(taken_[i + kPrefetch].get());
    event::EventPtr& event = taken_[i];
    event->taken_at = now;
    if (notifications_ != nullptr && settings_.notify == NotifyAt::accepted) {
      announce(event::Notification{*event, -1, -1});
    }
    place(std::move(event));
  }
  if (count > 0) {
    expire_at_ = std::min(expire_at_, now + settings_.delivery_timeout);
    if (notifications_ != nullptr) notifications_->flush();
  }
  return count;
}

void KafkaWorker::place(event::EventPtr event) {
  if (partitions_ == 0) {
    unplaced_.push_back(std::move(event));
    return;
  }
  const std::int32_t lane = lane_of(event->key_hash(), partitions_, settings_.clients);
  batcher_.add(lane, std::move(event));
}

std::size_t KafkaWorker::hand_over_batches(base::TimePoint now) {
  if (stopping_ == Stopping::purging || now < hand_over_at_) return 0;
  std::size_t work = 0;
  while (std::optional<Batch> batch = batcher_.take_ready(now)) {
    refused_.clear();
    const std::size_t offered = batch->events.size();
    producer_->produce(batch->lane, batch->events, refused_);
    const std::size_t left = batch->events.size();
    if (left < offered) counters_.add(Counter::batches);
    if (!refused_.empty()) {
      batcher_.reported(batch->lane, refused_.size());
      settle(refused_);
    }
    if (left > 0) {
      counters_.add(Counter::retried_batches);
      batcher_.put_back(std::move(*batch));
      hand_over_at_ = now + kNoRoomPause;
      break;
    }
    batcher_.recycle(std::move(batch->events));
    work += offered;
  }
  return work;
}

std::size_t KafkaWorker::expire(base::TimePoint now) {
  if (now < expire_at_) return 0;
  const base::TimePoint before = now - settings_.delivery_timeout;
  event::EventList expired = batcher_.take_expired(before);
  event::EventList never_placed;
  while (!unplaced_.empty() && unplaced_.front().taken_at <= before) {
    never_placed.push_back(unplaced_.pop_front());
  }
  const bool more = batcher_.waiting_events() > 0 || !unplaced_.empty();
  expire_at_ = more ? now + kExpiryStep : base::kNever;
  const std::size_t count = expired.size() + never_placed.size();
  settle_waiting(std::move(never_placed), Failure::timed_out,
                 "no broker answered for the topic within kafka.delivery_timeout");
  settle_waiting(std::move(expired), Failure::timed_out,
                 "no broker took it within kafka.delivery_timeout");
  return count;
}

void KafkaWorker::follow_topic() {
  TopicView view;
  if (!producer_->poll_topic(view)) return;
  const std::int32_t before = partitions_;
  batcher_.set_connections(view.connections);
  partitions_ = batcher_.lanes() / settings_.clients;
  if (topic_missed_at_) say_well("kafka: the topic is there again");
  heed_message_limit(view.message_bytes_max);
  if (before == 0) {
    event::EventList waiting = std::move(unplaced_);
    while (!waiting.empty()) place(waiting.pop_front());
  } else if (partitions_ > before) {
    const std::string was = std::to_string(before);
    const std::string is = std::to_string(partitions_);
    log_.write(LogKind::kafka_partitions, LogLevel::warning,
               "kafka: the topic grew from " + was + " to " + is +
                   " partitions; a source whose key now falls into another one is in order within "
                   "each, not across the two",
               {{"before", was}, {"partitions", is}});
  }
}

void KafkaWorker::heed_message_limit(std::size_t message_bytes_max) {
  if (message_bytes_max == 0 || message_bytes_max == message_bytes_max_) return;
  if (message_bytes_max_ != 0) {
    const std::string was = std::to_string(message_bytes_max_);
    const std::string is = std::to_string(message_bytes_max);
    log_.write(LogKind::kafka_message_limit, LogLevel::warning,
               "kafka: the topic's max.message.bytes changed from " + was + " to " + is +
                   "; publish() refuses larger events as too_large",
               {{"before", was}, {"bytes", is}});
  }
  message_bytes_max_ = message_bytes_max;
  const auto less = [message_bytes_max](std::size_t bytes) {
    return message_bytes_max > bytes ? message_bytes_max - bytes : 0;
  };
  events_.limit_records(less(kLoneRecordOverheadBytes));
  batcher_.limit_batches(less(kLoneRecordOverheadBytes + message_bytes_max / kEstimateShare));
}

void KafkaWorker::follow_notices() {
  Notice notice;
  while (producer_->poll_notice(notice)) {
    if (notice.kind == NoticeKind::info) {
      log_.write(LogKind::kafka_client, LogLevel::info, "kafka: " + notice.text);
      continue;
    }
    if (notice.kind == NoticeKind::rebuilt) {
      counters_.add(Counter::producer_rebuilds);
      log_.write(LogKind::kafka_rebuilt, LogLevel::warning, "kafka: " + notice.text);
      continue;
    }
    counters_.add(Counter::kafka_errors);
    // One line per change of state: the first trouble, or trouble of another kind.
    if (kafka_in_trouble_ && trouble_ == notice.kind) continue;
    kafka_in_trouble_ = true;
    trouble_ = notice.kind;
    if (const std::optional<KafkaHealth> health = health_of(notice.kind)) {
      say_unwell(*health, notice.text);
    }
    log_.write(kind_of(notice.kind), LogLevel::error,
               "kafka: " + notice.text + std::string{meaning_of(notice.kind)},
               {{"reason", notice.text}});
  }
}

void KafkaWorker::advance_stop(base::TimePoint now) {
  if (stopping_ == Stopping::no) {
    if (!events_.closed()) return;
    stopping_ = Stopping::draining;
  }
  if (stopping_ == Stopping::draining && now >= give_up_at_.load(std::memory_order_acquire)) {
    stopping_ = Stopping::purging;
    close_at_ = now + kPurgeGrace;
    producer_->purge();
  }
  if (stopping_ == Stopping::purging) {
    give_up_what_waits();
    if (batcher_.outstanding_events() > 0 && now < close_at_) return;
    finish();
    return;
  }
  if (events_.pending_events() == 0) finish();
}

void KafkaWorker::give_up_what_waits() {
  event::EventList left = batcher_.take_all();
  left.splice_back(std::move(unplaced_));
  settle_waiting(std::move(left), Failure::stopped, kStoppedDetail);
}

void KafkaWorker::finish() {
  std::vector<Report> last;
  producer_->close(last);
  for (Report& report : last) {
    if (refused_for_its_batch(report)) give_up_on(report);
  }
  settle(last);
  // An ingest thread may be between its admission and its push, for a few instructions.
  while (events_.pending_events() > 0) {
    if (take_events(now_) > 0) give_up_what_waits();
  }
  if (notifications_ != nullptr) notifications_->close();
  finished_ = true;
}

void KafkaWorker::settle(std::span<Report> reports) {
  outcomes_.clear();
  std::size_t bytes = 0;
  std::size_t delivered = 0;
  std::size_t delivered_bytes = 0;
  std::size_t maybe_persisted = 0;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    // A backlog is larger than the cache: the events to come are fetched while this one is told.
    if (i + kPrefetch < reports.size()) event::Event::prefetch(reports[i + kPrefetch].event.get());
    Report& report = reports[i];
    if (report.failure == Failure::timed_out && topic_missed_at_) [[unlikely]] {
      report.failure = Failure::unknown_topic;
      report.detail = "the cluster has no such topic";
    }
    const event::Event& event = *report.event;
    const bool acknowledged = report.failure == Failure::none;
    const Persisted persisted = persisted_of(report);
    bytes += event.block_bytes();
    if (acknowledged) {
      delivered += 1;
      delivered_bytes += event.record_bytes();
      follow_acknowledged(report);
    } else {
      counters_.add(counter_of(report.failure));
      if (persisted == Persisted::maybe) maybe_persisted += 1;
      if (report.failure == Failure::stopped) given_up_ += 1;
    }
    const Outcome outcome{
        .kind = acknowledged ? OutcomeKind::delivered : OutcomeKind::failed,
        .refusal = PublishResult::accepted,
        .failure = report.failure,
        .persisted = persisted,
        .partition = report.partition,
        .offset = report.offset,
        .tag = event.tag(),
        .detail = report.detail,
        .event = event.view(),
    };
    if (event.answer.answers != nullptr &&
        event.answer.answers->give(event.answer.index, outcome)) {
      continue;
    }
    outcomes_.push_back(outcome);
  }
  if (notifications_ != nullptr) notifications_->flush();
  if (delivered > 0) {
    recover(reports);
  } else if (!reports.empty()) {
    heed_failure(reports.back());
  }
  call_back(outcomes_);
  counters_.add(Counter::delivered, delivered);
  counters_.add(Counter::delivered_bytes, delivered_bytes);
  counters_.add(Counter::failed, reports.size() - delivered);
  counters_.add(Counter::failed_maybe_persisted, maybe_persisted);
  event::BlockPool::Giver blocks;
  for (Report& report : reports) event::end(std::move(report.event), blocks);
  events_.release(reports.size(), bytes);
}

void KafkaWorker::follow_acknowledged(const Report& report) {
  const event::Event& event = *report.event;
  if (event.published_at != base::TimePoint{}) latencies_.record(now_ - event.published_at);
  if (notifications_ == nullptr || settings_.notify != NotifyAt::acknowledged) return;
  event::Notification notification{event, report.partition, report.offset};
  notification.set_age(now_ - event.taken_at);
  announce(std::move(notification));
}

void KafkaWorker::recover(std::span<const Report> reports) {
  acknowledged_at_.store(now_, std::memory_order_release);
  if (!unwell_ && !kafka_in_trouble_) return;
  // What was acknowledged before the topic went may be read after it.
  const auto shows_the_topic = [this](const Report& report) {
    return report.failure == Failure::none && report.event->taken_at > *topic_missed_at_;
  };
  if (topic_missed_at_ && std::ranges::none_of(reports, shows_the_topic)) return;
  say_well("kafka: events are acknowledged again");
}

// A right that was taken away, or a topic that was deleted, is told by the events' own failures.
void KafkaWorker::heed_failure(const Report& last) {
  if (last.failure == Failure::unauthorized) {
    say_unwell(KafkaHealth::unauthorized, last.detail);
  } else if (last.failure == Failure::unknown_topic) {
    say_unwell(KafkaHealth::topic, last.detail);
  }
}

void KafkaWorker::say_unwell(KafkaHealth health, std::string_view reason) {
  unwell_ = true;
  if (health != KafkaHealth::topic) {
    topic_missed_at_.reset();
  } else if (!topic_missed_at_) {
    topic_missed_at_ = now_;
  }
  said_.say(health, reason);
}

void KafkaWorker::say_well(std::string_view line) {
  topic_missed_at_.reset();
  if (std::exchange(unwell_, false)) said_.say(KafkaHealth::up);
  if (!std::exchange(kafka_in_trouble_, false)) return;
  log_.write(LogKind::kafka_recovered, LogLevel::info, line);
}

std::pair<KafkaHealth, std::string> KafkaWorker::health(base::TimePoint now) const {
  std::pair<KafkaHealth, std::string> said = said_.heard();
  if (said.first == KafkaHealth::unauthorized || said.first == KafkaHealth::topic) return said;
  const base::TimePoint heard_at =
      std::max(producer_->answered_at(), acknowledged_at_.load(std::memory_order_acquire));
  if (heard_at != base::TimePoint{} && now - heard_at <= kSilentFor) return {KafkaHealth::up, ""};
  said.first = KafkaHealth::unreachable;
  if (said.second.empty()) said.second = "no broker has answered lately";
  return said;
}

void KafkaWorker::settle_waiting(event::EventList&& list, Failure failure,
                                 std::string_view detail) {
  std::vector<Report> reports;
  reports.reserve(std::min(list.size(), kReportsPerCycle));
  while (!list.empty()) {
    reports.clear();
    while (!list.empty() && reports.size() < kReportsPerCycle) {
      Report& report = reports.emplace_back();
      report.event = list.pop_front();
      report.failure = failure;
      report.detail = detail;
    }
    settle(reports);
  }
}

void KafkaWorker::announce(event::Notification&& notification) {
  notification.set_made_at(now_);
  // Counted before the Redis worker can see it: nothing is notified before it was announced.
  counters_.add(Counter::announced, settings_.notifications_per_event);
  notifications_->push(std::move(notification));
}

void KafkaWorker::call_back(std::span<const Outcome> outcomes) noexcept {
  if (!settings_.on_outcomes || outcomes.empty()) return;
  try {
    settings_.on_outcomes(outcomes);
  } catch (...) {
    // The callback is the host program's; whatever it throws, the next outcome has to come.
    counters_.add(Counter::callback_exceptions);
  }
}

}  // namespace dualstream::kafka
