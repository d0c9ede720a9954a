#include "redis/redis_worker.h"

#include <algorithm>
#include <new>
#include <span>
#include <utility>

#include "base/check.h"

namespace dualstream::redis {
namespace {

// Between the end of an attempt that took long and the next one.
constexpr base::Duration kPauseMin = std::chrono::milliseconds{100};

// While notifications linger anyway, the worker looks at what came, and at the replies, so often.
constexpr base::Duration kLookEvery = std::chrono::milliseconds{1};

// And sends so often, frames that filled up meanwhile included: each write wakes the server up,
// which costs it as much as some dozens of PUBLISH.
constexpr int kRoundsPerLinger = 2;

// A message that was larger gives its memory back.
constexpr std::size_t kMessageBytesKept = 64 * 1024;

// The server is there and talks to us, and only this command is not allowed: a user may have
// nothing but +publish.
bool only_lacks_the_command(const Reply& reply) noexcept {
  return reply.text.starts_with("NOPERM");
}

}  // namespace

RedisWorker::RedisWorker(Settings settings, std::unique_ptr<RedisConnection> connection,
                         event::NotificationQueue& queue, base::Counters& counters, base::Log& log)
    : settings_(std::move(settings)),
      connection_(std::move(connection)),
      queue_(queue),
      counters_(counters),
      coalescer_(settings_.coalescing, settings_.templates),
      pipeline_(settings_.window_frames_max),
      backoff_(settings_.backoff_seed),
      health_(settings_.address_text, log),
      notifications_(kNotificationsPerTurn) {}

RedisWorker::~RedisWorker() = default;

std::size_t RedisWorker::do_work(base::TimePoint now) {
  if (finished_) return 0;
  std::size_t work = take_notifications(now);
  try {
    work += advance_link(now);
    // Replies first: they make room in the window, and a late one that has come is not late.
    work += settle_replies(now);
    give_up_if_late(now);
    work += send_frames(now);
  } catch (const std::bad_alloc&) {
    lose("out of memory", now);
    work += 1;
  }
  advance_stop(now);
  return work;
}

base::WakeUp RedisWorker::wake_up() const {
  base::WakeUp wake_up;
  if (finished_) return wake_up;
  if (link_ != Link::waiting) {
    wake_up.fd = connection_->fd();
    wake_up.want_write = connection_->wants_write();
  }
  if (works_in_rounds()) {
    wake_up.nap = kLookEvery;
    wake_up.nap_ignores_fd = can_send();
  }
  switch (link_) {
    case Link::waiting:
      wake_up.at = attempt_at_;
      break;
    case Link::connecting:
    case Link::greeting:
      wake_up.at = attempt_at_ + settings_.connect_timeout;
      break;
    case Link::ready:
      if (!pipeline_.empty()) {
        wake_up.at = reply_late_at();
      }
      if (can_send()) {
        base::TimePoint due_at = coalescer_.next_due_at();
        if (works_in_rounds()) due_at = std::max(due_at, next_round_at_);
        wake_up.at = std::min(wake_up.at, due_at);
      }
      break;
  }
  if (drained_) wake_up.at = std::min(wake_up.at, give_up_at());
  return wake_up;
}

void RedisWorker::stop_by(base::TimePoint give_up_at) noexcept {
  stop_by_.store(give_up_at, std::memory_order_release);
}

bool RedisWorker::works_in_rounds() const noexcept {
  return link_ == Link::ready && !drained_ && coalescer_.linger() >= kLookEvery;
}

bool RedisWorker::can_send() const noexcept {
  return link_ == Link::ready && !pipeline_.window_full() && connection_->has_room();
}

std::size_t RedisWorker::take_notifications(base::TimePoint now) {
  if (drained_) return 0;
  const bool closed = queue_.closed();  // Before the look: nothing is pushed after it.
  std::size_t count_taken = 0;
  std::uint64_t dropped = 0;
  for (std::size_t turn = 0; turn < kTurnsPerCycle; ++turn) {
    const std::size_t count = queue_.pop(notifications_);
    for (event::Notification& notification : std::span{notifications_}.first(count)) {
      dropped += coalescer_.add(std::move(notification), now);
    }
    count_taken += count;
    if (count < notifications_.size()) break;
  }
  taken_ += count_taken * coalescer_.units();
  if (dropped > 0) count(Counter::dropped_overflow, dropped);
  if (closed && count_taken == 0) {
    drained_ = true;
    drained_at_ = now;
    // A server that could not be reached gets a last chance at once, one that refused us does not.
    if (link_ == Link::waiting && !refused_) attempt_at_ = std::min(attempt_at_, now);
  }
  return count_taken;
}

std::size_t RedisWorker::advance_link(base::TimePoint now) {
  if (link_ == Link::waiting) {
    if (now < attempt_at_) return 0;
    attempt_at_ = now;
    link_ = Link::connecting;
    connection_->connect();
  }
  if (link_ != Link::connecting) return 0;
  switch (connection_->state()) {
    case LinkState::connecting:
      return 0;
    case LinkState::closed:
      lose(connection_->failure(), now);
      return 1;
    case LinkState::open:
      greet(now);
      return 1;
  }
  return 0;
}

void RedisWorker::greet(base::TimePoint now) {
  link_ = Link::greeting;
  if (!settings_.password.empty()) {
    const std::array<std::string_view, 3> auth = {"AUTH", settings_.username, settings_.password};
    const std::array<std::string_view, 2> auth_default = {"AUTH", settings_.password};
    if (settings_.username.empty()) {
      write(Command::auth, auth_default, now);
    } else {
      write(Command::auth, auth, now);
    }
  }
  write(Command::set_name, std::array<std::string_view, 3>{"CLIENT", "SETNAME", "dualstream"}, now);
  // A stopped server's system still accepts connections: only an answer proves that it is there.
  write(Command::ping, std::array<std::string_view, 1>{"PING"}, now);
  connection_->flush();
}

void RedisWorker::write(Command command, std::span<const std::string_view> parts,
                        base::TimePoint now) {
  connection_->append(parts);
  pipeline_.wrote({.command = command, .at = now, .channel = {}, .events = 0, .missed = 0});
}

std::size_t RedisWorker::settle_replies(base::TimePoint now) {
  if (link_ != Link::greeting && link_ != Link::ready) return 0;
  std::size_t work = 0;
  for (std::size_t round = 0; round < kReplyRoundsPerCycle; ++round) {
    const std::size_t arrived = connection_->poll_replies(replies_);
    for (const Reply& reply : std::span{replies_}.first(arrived)) {
      const std::optional<Answered> answered = pipeline_.match(reply);
      if (!answered) {
        lose("protocol error: a reply that nothing was asked for", now);
        return work + 1;
      }
      if (answered->written.command == Command::publish) {
        settle_frame(*answered, reply, now);
      } else {
        follow_greeting(*answered, reply, now);
      }
      if (link_ == Link::waiting) return work + 1;  // What follows is not to be trusted.
    }
    work += arrived;
    if (arrived > 0) replied_at_ = now;
    if (arrived < replies_.size()) break;
  }
  if (connection_->state() == LinkState::closed) {
    lose(connection_->failure(), now);
    work += 1;
  }
  return work;
}

void RedisWorker::follow_greeting(const Answered& answered, const Reply& reply,
                                  base::TimePoint now) {
  if (answered.answer == Answer::broken) {
    lose("protocol error: not a reply to " +
             std::string{answered.written.command == Command::ping ? "PING" : "a greeting"},
         now);
    return;
  }
  const bool auth = answered.written.command == Command::auth;
  if (answered.answer == Answer::refused && (auth || !only_lacks_the_command(reply))) {
    be_refused(reply.text, now);
    return;
  }
  if (answered.written.command != Command::ping) return;
  // An error is an answer too: a server that loads or is busy takes PUBLISH or says why not.
  link_ = Link::ready;
  refused_ = false;
  counters_.add(Counter::redis_connects);
  health_.connected();
}

void RedisWorker::settle_frame(const Answered& answered, const Reply& reply, base::TimePoint now) {
  const Written& frame = answered.written;
  if (answered.answer == Answer::broken) {
    count(Counter::unconfirmed, frame.events);
    coalescer_.add_missed(frame.channel, frame.events + frame.missed);
    lose("protocol error: not a reply to PUBLISH", now);
    return;
  }
  counters_.add(Counter::frames);
  if (answered.answer == Answer::done) {
    count(Counter::notified, frame.events);
    counters_.add(Counter::receivers, static_cast<std::uint64_t>(reply.integer));
    if (frame.made_at != base::TimePoint{}) latencies_.record(now - frame.made_at);
    backoff_.reset();
    health_.published(now);
    return;
  }
  coalescer_.add_missed(frame.channel, frame.events + frame.missed);
  if (answered.answer == Answer::refused) {
    count(Counter::dropped_refused, frame.events);
    health_.publish_refused(reply.text, now);
  } else {
    count(Counter::dropped_error, frame.events);
    health_.publish_failed(reply.text, now);
  }
}

// Replies that keep coming are those of a link that is slow, not dead. Giving that one up would
// lose a window, and what is still on its way there could arrive after the next connection's
// frames.
base::TimePoint RedisWorker::reply_late_at() const noexcept {
  return std::max(pipeline_.oldest_written_at(), replied_at_) + settings_.reply_timeout;
}

void RedisWorker::give_up_if_late(base::TimePoint now) {
  if (link_ == Link::ready) {
    if (!pipeline_.empty() && now >= reply_late_at()) {
      lose("no reply within redis.reply_timeout", now);
    }
  } else if (link_ != Link::waiting && now - attempt_at_ >= settings_.connect_timeout) {
    lose("not ready within redis.connect_timeout", now);
  }
}

std::size_t RedisWorker::send_frames(base::TimePoint now) {
  if (link_ == Link::waiting || link_ == Link::connecting) return 0;
  std::size_t sent = 0;
  const bool between_rounds = works_in_rounds() && now < next_round_at_;
  while (!between_rounds && can_send()) {
    std::optional<Frame> frame = coalescer_.take_due(drained_ ? base::kNever : now);
    if (!frame) {
      if (sent > 0) next_round_at_ = now + coalescer_.linger() / kRoundsPerLinger;
      break;
    }
    send(std::move(*frame), now);
    sent += 1;
  }
  // What the system took is work too: its replies may be here at the next look.
  return sent + (connection_->flush() > 0 ? 1 : 0);
}

void RedisWorker::send(Frame&& frame, base::TimePoint now) {
  const Frame sent = std::move(frame);
  Channel& channel = sent.channel();
  try {
    message_.clear();
    sent.render(message_);
    connection_->append(std::array<std::string_view, 3>{"PUBLISH", channel.name, message_.text()});
  } catch (const std::bad_alloc&) {
    channel.missed += sent.events() + sent.missed();
    count(Counter::dropped_overflow, sent.events());
    return;
  }
  pipeline_.wrote({.command = Command::publish,
                   .at = now,
                   .channel = ChannelRef::to(channel),
                   .events = sent.events(),
                   .missed = sent.missed(),
                   .made_at = sent.front()->notification.made_at(now)});
  if (message_.capacity() > kMessageBytesKept) message_.release();
}

void RedisWorker::lose(std::string_view reason, base::TimePoint now) {
  const bool was_ready = link_ == Link::ready;
  health_.lost(reason);
  const base::Duration delay = backoff_.after_network_failure();
  // An attempt that took its time has waited enough: a server that is back is found in a second.
  const base::TimePoint next =
      was_ready ? now + delay : std::max(attempt_at_ + delay, now + kPauseMin);
  disconnect(now);
  attempt_at_ = next;
  refused_ = false;
}

void RedisWorker::be_refused(std::string_view reason, base::TimePoint now) {
  health_.refused(reason);
  const base::TimePoint next = now + backoff_.after_refusal();
  disconnect(now);
  attempt_at_ = next;
  refused_ = true;
}

// Nothing that was written is sent again, and as it may not have arrived its channels are told.
void RedisWorker::disconnect(base::TimePoint now) {
  if (link_ == Link::ready) {
    counters_.add(Counter::redis_disconnects);
    lost_at_ = now;
  }
  link_ = Link::waiting;
  connection_->close();
  while (const std::optional<Written> written = pipeline_.take_unanswered()) {
    if (written->command != Command::publish) continue;
    count(Counter::unconfirmed, written->events);
    coalescer_.add_missed(written->channel, written->events + written->missed);
  }
}

void RedisWorker::advance_stop(base::TimePoint now) {
  if (!drained_) return;
  if (pending() == 0 || now >= give_up_at()) finish();
}

base::TimePoint RedisWorker::give_up_at() const noexcept {
  const base::TimePoint deadline = stop_by_.load(std::memory_order_acquire);
  if (link_ == Link::ready) return deadline;
  return std::min(deadline, std::max(drained_at_, lost_at_) + kUnreachableGrace);
}

void RedisWorker::finish() {
  while (const std::optional<Written> written = pipeline_.take_unanswered()) {
    count(Counter::unconfirmed, written->events);
  }
  count(Counter::dropped_stopped, coalescer_.drop_all());
  connection_->close();
  CHECK(taken_ == settled_, "every notification that was taken is counted once");
  finished_ = true;
}

void RedisWorker::count(Counter counter, std::uint64_t units) noexcept {
  counters_.add(counter, units);
  settled_ += units;
}

}  // namespace dualstream::redis
