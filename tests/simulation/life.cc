#include "simulation/life.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "event/event.h"

namespace dualstream::simulation {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::size_t kPayloadBytesMax = 3'000;

}  // namespace

struct Life::Sizes {
  std::size_t sources = 1;
  kafka::KafkaWorker::Settings kafka;
  redis::RedisWorker::Settings redis;
  FaultyKafka::Faults kafka_faults;
  FaultyRedis::Faults redis_faults;
  std::size_t unsent_bytes_max = 1;
};

namespace {

// A fault is off in half of the lives, and otherwise rare or frequent.
std::uint64_t fault(Random& random, std::uint64_t most) {
  if (random.chance(500)) return 0;
  return random.between(1, random.chance(500) ? most : std::max<std::uint64_t>(1, most / 10));
}

base::Duration some_linger(Random& random) {
  return random.one_of<base::Duration>(
      {microseconds{0}, microseconds{0}, microseconds{300}, milliseconds{5}});
}

std::vector<std::string> some_templates(Random& random) {
  std::vector<std::string> all = {"events:{source_type}:{source_id}", "all:{source_type}",
                                  "buckets:{source_type}:{bucket}"};
  const std::size_t first = random.below(all.size());
  std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first), all.end());
  all.resize(random.one_of<std::size_t>({1, 1, 2, 3}));
  return all;
}

}  // namespace

Life::Sizes Life::sizes_of(Random& random) {
  Sizes sizes;
  sizes.sources = random.one_of<std::size_t>({1, 3, 20, 60});
  sizes.kafka.batching = {.batch_events_max = random.one_of<std::size_t>({1, 3, 16, 64}),
                          .batch_bytes_max = random.one_of<std::size_t>({300, 2'000, 20'000}),
                          .linger = some_linger(random),
                          .outstanding_per_connection_max = random.between(1, 5)};
  sizes.kafka.delivery_timeout =
      random.one_of<base::Duration>({seconds{1}, seconds{5}, seconds{120}});
  sizes.kafka.clients = random.one_of({1, 1, 2, 3});
  sizes.kafka.notify = random.chance(150) ? NotifyAt::accepted : NotifyAt::acknowledged;
  sizes.kafka_faults = {.no_room = fault(random, 500),
                        .refuse = fault(random, 50),
                        .fail_event = fault(random, 100),
                        .fail_request = fault(random, 300),
                        .fatal = fault(random, 20),
                        .late = fault(random, 950),
                        .topic = fault(random, 30),
                        .notice = fault(random, 100),
                        .hangs_at_purge = random.chance(300)};

  const Status parsed =
      redis::parse_channel_templates(some_templates(random), 4, sizes.redis.templates);
  if (!parsed.ok()) throw std::logic_error(parsed.message);
  sizes.redis.coalescing = {
      .linger = some_linger(random),
      .frame_events_max = random.one_of<std::size_t>({1, 3, 16}),
      .frame_bytes_max = random.one_of<std::size_t>({100, 500, 4'000}),
      .held_max = random.one_of<std::size_t>({4, 30, 400}),
      .held_bytes_max = random.one_of<std::size_t>({2'000, 20'000, 200'000}),
      .sources_remembered_max = random.one_of<std::size_t>({2, 1'000, 1'000, 1'000})};
  sizes.redis.window_frames_max = random.one_of<std::size_t>({1, 4, 32});
  sizes.redis.reply_timeout = random.one_of<base::Duration>({milliseconds{100}, seconds{5}});
  sizes.redis.address_text = "simulated:1";
  if (random.chance(300)) sizes.redis.password = "secret";
  sizes.redis.backoff_seed = random.below(UINT64_MAX);
  sizes.redis_faults = {.refuse_connect = fault(random, 900),
                        .slow_connect = fault(random, 900),
                        .refuse_greeting = fault(random, 500),
                        .cut = fault(random, 30),
                        .hang = fault(random, 10),
                        .late = fault(random, 950),
                        .part = fault(random, 800),
                        .error = fault(random, 300),
                        .garbage = fault(random, 20),
                        .no_memory = fault(random, 50),
                        .last_words = random.chance(150)};
  sizes.unsent_bytes_max = random.one_of<std::size_t>({1, 400, 5'000});
  return sizes;
}

Life::Life(std::uint64_t seed) : seed_(seed), random_(seed), log_([](const LogLine&) {}) {
  const Sizes sizes = sizes_of(random_);
  steps_max_ = random_.between(200, 6'000);
  patience_ = random_.one_of<std::uint64_t>({0, 5, 50});
  event_limits_ = {.events_max = random_.one_of<std::size_t>({3, 40, 400}),
                   .bytes_max = random_.one_of<std::size_t>({3'000, 30'000, 300'000})};
  notification_limits_ = {
      .notifications_max = random_.one_of<std::size_t>({2, 30, 300}),
      .bytes_max = random_.one_of<std::size_t>({1'000, 10'000, 100'000}),
      .missed_sources_max = random_.one_of<std::size_t>({1, 1'000, 1'000, 1'000}),
      .units = sizes.redis.templates.size()};
  notify_ = sizes.kafka.notify;
  with_answers_ = random_.chance(200);
  callback_throws_ = fault(random_, 100);
  forgets_ = sizes.redis.coalescing.sources_remembered_max < sizes.sources ||
             notification_limits_.missed_sources_max < sizes.sources;
  make_sources(sizes.sources);
  for (TrueSource& source : truth_.sources) {
    for (const redis::ChannelTemplate& each : sizes.redis.templates) {
      source.channels.push_back(each.expand(source.type, source.id));
    }
  }
  events_ = std::make_unique<event::EventQueue>(event_limits_, parker_);
  for (std::uint64_t i = random_.between(1, 3); i > 0; --i) producers_.emplace_back(*events_);
  notifications_ =
      std::make_unique<event::NotificationQueue>(notification_limits_, kafka_counters_, parker_);
  make_kafka(sizes);
  make_redis(sizes);
}

void Life::make_sources(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    TrueSource& source = truth_.sources.emplace_back();
    source.type = random_.one_of({"repo", "user", "a:b"});
    source.id = random_.one_of({"owner/", "x*", "\xc3\xa9 ", "a:"}) + std::to_string(i);
    if (random_.chance(50)) source.id += std::string(random_.below(500), 'l');
  }
}

void Life::make_kafka(const Sizes& sizes) {
  kafka::KafkaWorker::Settings settings = sizes.kafka;
  settings.notifications_per_event = sizes.redis.templates.size();
  settings.on_outcomes = [this](std::span<const Outcome> outcomes) { take_outcomes(outcomes); };
  auto kafka = std::make_unique<FaultyKafka>(sizes.kafka_faults, settings.batching,
                                             settings.clients, random_, truth_);
  kafka_ = kafka.get();
  if (random_.chance(700)) {
    kafka_->make_topic(random_.between(1, 8), random_.one_of<std::size_t>({0, 1'000, 4'000}) + 400);
  }
  kafka_worker_ = std::make_unique<kafka::KafkaWorker>(
      std::move(settings), std::move(kafka), *events_, notifications_.get(), kafka_counters_, log_);
}

void Life::make_redis(const Sizes& sizes) {
  readers_ = std::make_unique<ChannelReaders>(
      ChannelReaders::Rules{.acknowledged_only = notify_ == NotifyAt::acknowledged,
                            .in_order = !sizes.redis_faults.last_words},
      truth_);
  auto redis = std::make_unique<FaultyRedis>(sizes.redis_faults, sizes.unsent_bytes_max, now_,
                                             random_, truth_, *readers_);
  redis_ = redis.get();
  const std::size_t window = std::max<std::size_t>(sizes.redis.window_frames_max, 3);
  redis_pending_max_ =
      sizes.redis.coalescing.held_max + window * sizes.redis.coalescing.frame_events_max;
  reply_timeout_ = sizes.redis.reply_timeout;
  redis_worker_ = std::make_unique<redis::RedisWorker>(sizes.redis, std::move(redis),
                                                       *notifications_, redis_counters_, log_);
}

bool Life::live() {
  while (steps_ < steps_max_ && truth_.broken.empty()) {
    step();
    check();
  }
  if (truth_.broken.empty() && random_.chance(500)) end_calmly();
  if (truth_.broken.empty()) stop();
  return truth_.broken.empty();
}

void Life::step() {
  steps_ += 1;
  switch (random_.below(10)) {
    case 0:
    case 1:
      publish_any();
      break;
    case 2:
    case 3:
      step_kafka();
      break;
    case 4:
    case 5:
      step_redis();
      break;
    case 6:
    case 7:
      static_cast<void>(kafka_->act());
      break;
    case 8:
      static_cast<void>(redis_->act());
      break;
    default:
      pass_time();
  }
}

void Life::publish_any() {
  publish(static_cast<std::uint32_t>(random_.below(truth_.sources.size())),
          random_.below(random_.chance(50) ? kPayloadBytesMax : 100));
}

void Life::publish(std::uint32_t source, std::size_t payload_bytes) {
  static const std::string payload(kPayloadBytesMax, 'p');
  const std::uint64_t tag = truth_.events.size();
  const std::string id = std::to_string(tag);
  const EventView view{.id = id,
                       .type = "PushEvent",
                       .source_type = truth_.sources[source].type,
                       .source_id = truth_.sources[source].id,
                       .payload = std::string_view{payload}.substr(0, payload_bytes),
                       .tag = tag};
  const std::size_t record_bytes = view.source_id.size() + payload_bytes;
  if (record_bytes > events_->record_bytes_max()) return;
  const std::size_t before = events_->pending_events();
  switch (events_->admit(event::block_bytes(view))) {
    case event::EventQueue::Admission::full:
      refused_full_ += 1;
      truth_.require(before > 0 || event::block_bytes(view) > event_limits_.bytes_max,
                     "an empty queue is not full");
      return;
    case event::EventQueue::Admission::closed:
      truth_.require(events_->closed(), "an open queue refuses nobody");
      return;
    case event::EventQueue::Admission::admitted:
      truth_.require(!events_->closed(), "a closed queue admits nobody");
  }
  const auto producer = static_cast<std::uint32_t>(random_.below(producers_.size()));
  truth_.events.push_back({.producer = producer, .source = source, .record_bytes = record_bytes});
  event::EventPtr event = producers_[producer].make(view);
  if (with_answers_ && random_.chance(100)) {
    event->answer.answers = std::make_shared<event::Answers>(1);
    waiting_callers_.emplace_back(tag, event->answer.answers);
  }
  accepted_ += 1;
  truth_.require(events_->push(producers_[producer], event), "the queue takes what it admitted");
}

std::size_t Life::step_kafka() { return kafka_worker_->do_work(now_); }

std::size_t Life::step_redis() {
  // Once sources were forgotten, or dropped on the way to the Redis worker, `prev` may be unknown.
  readers_->expect_prev_always(!forgets_ && kafka_counters_.get(Counter::dropped_overflow) == 0 &&
                               !kafka_->topic_changed_places());
  const std::size_t work = redis_worker_->do_work(now_);
  truth_.require(redis_->silence() < reply_timeout_, "a server that is silent is given up");
  return work;
}

void Life::pass_time() {
  if (random_.chance(patience_)) {
    now_ += milliseconds{random_.below(3'000)};
  } else if (random_.chance(200)) {
    const base::TimePoint wake_at =
        std::min(kafka_worker_->wake_up().at, redis_worker_->wake_up().at);
    if (wake_at > now_ && wake_at < now_ + seconds{10}) now_ = wake_at;
  } else {
    now_ += microseconds{random_.below(500)};
  }
}

void Life::take_outcomes(std::span<const Outcome> outcomes) {
  for (const Outcome& outcome : outcomes) {
    outcomes_ += 1;
    check_outcome(outcome);
    if (outcome.kind == OutcomeKind::failed) {
      truth_.require(outcome.event.id == std::to_string(outcome.tag) &&
                         outcome.event.source_id.size() + outcome.event.payload.size() ==
                             truth_.events[outcome.tag].record_bytes,
                     "a failed event comes back whole", outcome.tag);
    }
  }
  if (random_.chance(100) && !events_->closed()) publish_any();
  if (random_.chance(callback_throws_)) throw std::runtime_error("thrown by the simulation");
}

void Life::check_outcome(const Outcome& outcome) {
  TrueEvent& event = truth_.events[outcome.tag];
  event.outcomes += 1;
  truth_.require(event.outcomes == 1, "an event has one outcome", outcome.tag);
  truth_.require((outcome.kind == OutcomeKind::delivered) == event.acknowledged,
                 "delivered means acknowledged", outcome.tag);
  if (event.acknowledged) {
    truth_.require(kafka_->has(outcome.partition, outcome.offset, outcome.tag),
                   "a delivered event lies where its outcome says", outcome.tag);
    return;
  }
  truth_.require(outcome.persisted == Persisted::maybe || event.appended == 0,
                 "what did not persist is not in the log", outcome.tag);
  truth_.require(outcome.failure != Failure::too_large || event.too_large_alone,
                 "an oversize event costs only itself", outcome.tag);
  truth_.require(outcome.failure != Failure::stopped || events_->closed(),
                 "nothing fails as stopped before the stop", outcome.tag);
}

std::uint64_t Life::dropped() const noexcept {
  return count(Counter::dropped_overflow) + count(Counter::dropped_refused) +
         count(Counter::dropped_error) + count(Counter::dropped_stopped);
}

std::uint64_t Life::pending_notifications() const noexcept {
  return redis_worker_->pending() + notifications_->size() * notification_limits_.units;
}

void Life::check() {
  const std::uint64_t settled = count(Counter::delivered) + count(Counter::failed);
  truth_.require(accepted_ == settled + events_->pending_events(),
                 "accepted = delivered + failed + pending");
  truth_.require(with_answers_ || outcomes_ == settled,
                 "every event that is settled had its outcome");
  truth_.require(count(Counter::delivered) == truth_.acknowledged,
                 "delivered is what Kafka acknowledged");
  const std::uint64_t announced = count(Counter::announced);
  truth_.require(announced == count(Counter::notified) + dropped() + count(Counter::unconfirmed) +
                                  pending_notifications(),
                 "announced = notified + dropped + unconfirmed + pending");
  truth_.require(notify_ == NotifyAt::accepted ||
                     announced == truth_.acknowledged * notification_limits_.units,
                 "each acknowledged event is announced, and nothing else");
  truth_.require(count(Counter::notified) == redis_->answered().done &&
                     count(Counter::dropped_refused) == redis_->answered().refused &&
                     count(Counter::dropped_error) == redis_->answered().error,
                 "every reply counts for the frame that it answers");
  truth_.require(readers_->received() >= count(Counter::notified),
                 "what was notified was received");
  truth_.require(events_->pending_events() <= event_limits_.events_max &&
                     events_->pending_bytes() <= event_limits_.bytes_max,
                 "events keep to their bounds");
  truth_.require(notifications_->size() <= notification_limits_.notifications_max,
                 "the notification queue keeps to its bound");
  truth_.require(redis_worker_->pending() <= redis_pending_max_,
                 "the Redis worker keeps to its bounds");
}

void Life::settle_calmly(base::TimePoint until) {
  std::uint64_t busy = 0;
  while (truth_.broken.empty() && now_ < until) {
    const std::size_t work = step_kafka() + step_redis();
    const bool kafka_acted = kafka_->act();
    const bool redis_acted = redis_->act();
    steps_ += 2;
    check();
    if (work > 0 || kafka_acted || redis_acted) {
      busy += 1;
      truth_.require(busy < 100'000, "the workers come to rest");
      continue;
    }
    const base::TimePoint wake_at =
        std::min(kafka_worker_->wake_up().at, redis_worker_->wake_up().at);
    if (wake_at == base::kNever) return;
    busy += wake_at <= now_ ? 1 : 0;
    now_ = std::max(now_, wake_at);
  }
}

void Life::end_calmly() {
  kafka_->calm();
  redis_->calm();
  settle_calmly(now_ + seconds{300});
  truth_.require(events_->pending_events() == 0, "without faults every event gets its outcome");
  truth_.require(pending_notifications() == 0, "without faults every notification goes out");
  // Each source speaks once more, so that each channel tells what it missed.
  const std::uint64_t to_tell = dropped() + count(Counter::unconfirmed);
  for (std::uint32_t source = 0; source < truth_.sources.size(); ++source) {
    const std::size_t tag = truth_.events.size();
    publish(source, 0);
    settle_calmly(now_ + seconds{300});
    truth_.require(truth_.events.size() > tag && truth_.events[tag].acknowledged,
                   "without faults an event is delivered", tag);
  }
  truth_.require(pending_notifications() == 0, "without faults its notification goes out");
  ended_calmly_ = true;
  // Where one notification has no room beside another, the last ones were dropped, too.
  const bool all_have_spoken = dropped() == to_tell - count(Counter::unconfirmed);
  if (forgets_ || !all_have_spoken) return;
  truth_.require(redis_->answered().missed_told == to_tell,
                 "channels are told of exactly what was dropped or may not have arrived");
}

void Life::stop() {
  const base::Duration patience = milliseconds{random_.below(3'000)};
  const base::TimePoint give_up_at = now_ + patience;
  kafka_worker_->stop_by(give_up_at);
  events_->close();
  const base::TimePoint end =
      give_up_at + kafka::KafkaWorker::kPurgeGrace + milliseconds{random_.below(2'000)};
  bool redis_told = false;
  base::TimePoint gave_up_at = base::kNever;
  while (truth_.broken.empty() && !(kafka_worker_->finished() && redis_worker_->finished())) {
    if (kafka_worker_->finished() && !redis_told) {
      redis_worker_->stop_by(end);
      redis_told = true;
    }
    step();
    if (random_.chance(50)) now_ += milliseconds{random_.below(100)};
    if (now_ >= give_up_at) {
      // It purges at its first step from then on, and closes the client when the grace is over.
      step_kafka();
      if (gave_up_at == base::kNever) gave_up_at = now_;
      truth_.require(
          kafka_worker_->finished() || now_ < gave_up_at + kafka::KafkaWorker::kPurgeGrace,
          "the Kafka worker stops by its deadline");
    }
    if (redis_told && now_ >= end) {
      step_redis();
      step_redis();
      truth_.require(redis_worker_->finished(), "the Redis worker stops by its deadline");
    }
    check();
  }
  if (truth_.broken.empty()) check_after_stop();
}

void Life::check_after_stop() {
  for (const auto& [tag, answers] : waiting_callers_) {
    std::array<Outcome, 1> outcome;
    answers->wait_until(base::TimePoint{}, outcome);
    truth_.require(outcome[0].tag == tag, "an answer is that of the caller's event", tag);
    check_outcome(outcome[0]);
    outcomes_ += 1;
  }
  truth_.require(outcomes_ == accepted_, "every accepted event had its outcome");
  for (std::uint64_t tag = 0; tag < truth_.events.size(); ++tag) {
    truth_.require(truth_.events[tag].outcomes == 1, "every accepted event had one outcome", tag);
  }
  truth_.require(events_->pending_events() == 0 && events_->pending_bytes() == 0,
                 "nothing is pending after the stop");
  truth_.require(pending_notifications() == 0, "no notification is pending after the stop");
  const std::uint64_t notified = count(Counter::notified);
  truth_.require(readers_->received() <= notified + count(Counter::unconfirmed),
                 "what was received was notified or is unconfirmed");
}

std::string Life::broken() const {
  return "DUALSTREAM_SIMULATION_SEED=" + std::to_string(seed_) + ": at step " +
         std::to_string(steps_) + " it did not hold: " + truth_.broken;
}

void Life::add_to(Tally& tally) const {
  tally.steps += steps_;
  tally.delivered += count(Counter::delivered);
  tally.failed += count(Counter::failed);
  tally.refused_full += refused_full_;
  tally.retried_batches += count(Counter::retried_batches);
  tally.rebuilds += kafka_->rebuilds();
  tally.notified += count(Counter::notified);
  tally.dropped += dropped();
  tally.unconfirmed += count(Counter::unconfirmed);
  tally.disconnects += count(Counter::redis_disconnects);
  tally.gaps_seen += readers_->gaps_seen();
  tally.calm_ends += ended_calmly_ ? 1 : 0;
}

}  // namespace dualstream::simulation
