#include "sender.h"

#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <ctime>

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// So long at a time a thread does not hear of a request to stop.
constexpr milliseconds kDeaf{20};
// What is behind at the end of the run is still sent for so long.
constexpr milliseconds kGrace{100};
// And so long one publish() waits for room before it is called again.
constexpr milliseconds kPatience{50};

// The kernel may group wake-ups within 50 us of each other; a load generator wants its own.
void wake_precisely() {
  // Refused on no Linux; if it were, events would go 50 us later, which the figures would show.
  [[maybe_unused]] const int done = ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

void sleep_for(nanoseconds duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  const timespec time{.tv_sec = seconds.count(), .tv_nsec = (duration - seconds).count()};
  ::nanosleep(&time, nullptr);  // Cut short by a signal, it is called again.
}

}  // namespace

void Sent::merge(const Sent& other) {
  accepted += other.accepted;
  measured += other.measured;
  bytes += other.bytes;
  refused += other.refused;
  if (refusal.empty()) refusal = other.refusal;
  waits += other.waits;
  publish.merge(other.publish);
  lag.merge(other.lag);
  late_engine += other.late_engine;
  late_self += other.late_self;
  unsent += other.unsent;
  over_time.merge(other.over_time);
}

Sender::Sender(const SenderOptions& options, const SourceShare& share, const Payloads& payloads,
               const RunClock& clock, StopRequest& stop, InFlightLimit* limit)
    : options_(options),
      payloads_(payloads),
      clock_(clock),
      stop_(stop),
      limit_(limit),
      picker_(share, options.seed + options.thread),
      payload_(payloads.bytes_max(), '\0'),
      source_id_(kSourcePrefix),
      next_payload_(payloads.size() * options.thread / options.threads) {}

void Sender::run(EventTaker& taker) {
  wake_precisely();
  std::uint64_t number = 0;
  while (number < options_.sent_max && sent_.measured < options_.measured_max) {
    const std::optional<Duration> meant_at = wait_for_turn(number);
    if (!meant_at || *meant_at >= options_.end || !send(taker, number, *meant_at)) break;
    ++number;
  }
  if (options_.schedule) count_unsent(number);
  lag_.store(0);
}

bool Sender::over(Duration now) const { return now - kGrace >= options_.end; }

// When the next event is meant to be sent, at the earliest now; nothing if the run is to end.
std::optional<Sender::Duration> Sender::wait_for_turn(std::uint64_t number) {
  if (!options_.schedule) {
    while (limit_ != nullptr && !limit_->take(kDeaf)) {
      if (stop_.requested() || over(clock_.now())) return std::nullopt;
    }
    if (stop_.requested()) return std::nullopt;
    return clock_.now();
  }
  const Duration meant_at = options_.schedule->at(number);
  while (!stop_.requested()) {
    const Duration now = clock_.now();
    if (over(now)) return std::nullopt;
    if (now >= meant_at) return meant_at;
    sleep_for(std::min<Duration>(meant_at - now, kDeaf));
  }
  return std::nullopt;
}

// False if the run is to end.
bool Sender::send(EventTaker& taker, std::uint64_t number, Duration meant_at) {
  const std::uint32_t source = picker_.pick();
  source_id_.resize(kSourcePrefix.size());
  source_id_ += std::to_string(source);
  const EventMark mark{.since_start = meant_at,
                       .index = static_cast<std::uint32_t>(
                           (number * options_.threads + options_.thread) % kIndexCount)};
  const std::uint64_t tag = tag_of(mark);
  const MarkId id = id_of(options_.run, tag);
  const std::size_t bytes = payloads_.write(
      next_payload_, {.run = options_.run, .source = source, .index = mark.index}, payload_.data());
  next_payload_ = next_payload_ + 1 == payloads_.size() ? 0 : next_payload_ + 1;
  const EventView event{.id = {id.data(), id.size()},
                        .type = kLoadEventType,
                        .source_type = kLoadSourceType,
                        .source_id = source_id_,
                        .payload = {payload_.data(), bytes},
                        .tag = tag};

  const Duration called_at = clock_.now();
  PublishResult result = taker.take(event, milliseconds{0});
  const bool waits = result == PublishResult::full;
  if (waits) ++sent_.waits;
  while (result == PublishResult::full) {
    // Not only after a request to stop: a Kafka that takes nothing must not hold the run for ever.
    if (stop_.requested() || over(clock_.now())) return false;
    lag_.store((clock_.now() - meant_at).count());
    result = taker.take(event, kPatience);
  }
  if (result == PublishResult::stopping) return false;
  if (result != PublishResult::accepted) {
    if (sent_.refused++ == 0) sent_.refusal = taker.refusal_reason();
    if (limit_ != nullptr) limit_->release(1);
    return true;
  }
  account(meant_at, called_at, clock_.now(), bytes, waits);
  return true;
}

void Sender::account(Duration meant_at, Duration called_at, Duration ended_at, std::size_t bytes,
                     bool waited) {
  const Duration lag = called_at - meant_at;
  ++sent_.accepted;
  // For the progress line only.
  accepted_.store(sent_.accepted, std::memory_order_relaxed);
  lag_.store(lag.count(), std::memory_order_relaxed);
  SentCell& cell = sent_.over_time.at(called_at);
  ++cell.sent;
  cell.lag_max = std::max(cell.lag_max, lag);
  if (options_.schedule) ++sent_.over_time.at(meant_at).meant;
  // Late events are the engine's until this thread has caught up with the schedule again.
  if (lag < kLate) held_back_ = false;
  if (meant_at >= options_.warmup) {
    ++sent_.measured;
    sent_.bytes += bytes;
    sent_.publish.record(static_cast<std::uint64_t>((ended_at - called_at).count()));
    sent_.lag.record(static_cast<std::uint64_t>(std::max(lag, Duration{0}).count()));
    if (lag >= kLate) ++(held_back_ ? sent_.late_engine : sent_.late_self);
  }
  if (waited) held_back_ = true;
}

void Sender::count_unsent(std::uint64_t number) {
  // After a signal the schedule ends where the run was stopped.
  const Duration end = std::min(options_.end, clock_.now());
  std::uint64_t meant = std::min(options_.schedule->count_before(end), options_.sent_max);
  sent_.unsent = meant > number ? meant - number : 0;
}

}  // namespace dualstream::command
