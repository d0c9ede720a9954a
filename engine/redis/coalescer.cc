#include "redis/coalescer.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/check.h"

namespace dualstream::redis {
namespace {

// A message's first fields and brackets, beside its items.
constexpr std::size_t kMessageHeadBytes = 64;

// An acknowledgement that takes no longer than this had no queue before it. Twice what was spent
// beyond it may be spent lingering.
constexpr base::Duration kFresh = std::chrono::milliseconds{5};
constexpr int kLingerFactor = 2;

std::size_t bytes_of(const event::Notification& notification) noexcept {
  return notification.bytes() + (sizeof(Held) - sizeof(event::Notification));
}

// A frame keeps its channel remembered.
std::size_t bytes_of_frame_on(const Channel& channel) noexcept {
  return sizeof(OpenFrame) + sizeof(Channel) + channel.name.size();
}

event::Notification copy_of(const event::Notification& notification, base::TimePoint now) {
  event::Notification copy{EventView{.id = notification.id(),
                                     .type = notification.type(),
                                     .source_type = notification.source_type(),
                                     .source_id = notification.source_id()},
                           notification.partition(), notification.offset()};
  copy.set_made_at(notification.made_at(now));
  return copy;
}

}  // namespace

Coalescer::Coalescer(const Limits& limits, std::vector<ChannelTemplate> templates)
    : limits_(limits),
      memory_(std::move(templates), limits.sources_remembered_max),
      linger_(limits.linger) {
  CHECK(limits_.frame_events_max > 0 && limits_.held_max > 0, "limits are validated");
}

std::size_t Coalescer::add(event::Notification&& notification, base::TimePoint now) noexcept {
  const std::size_t templates = memory_.templates();
  follow_age(notification.age());
  std::size_t placed = 0;
  std::size_t dropped = 0;
  try {
    const std::uint32_t missed_before = notification.missed_before();
    if (notification.lost_track()) lose_track();
    Source& source = memory_.recall(notification.source_type(), notification.source_id());
    const std::int64_t previous_offset =
        source.advance(notification.partition(), notification.offset(), missed_before > 0);
    for (; placed < templates; ++placed) {
      Channel& channel = *source.channels[placed];
      channel.missed += missed_before;
      // It follows what was missed, not what the frame holds.
      if (missed_before > 0) end_open_frame(channel);
      const bool last = placed + 1 == templates;
      // NOLINTNEXTLINE(bugprone-use-after-move): only the last one moves.
      dropped += put(channel, last ? std::move(notification) : copy_of(notification, now),
                     previous_offset, now);
    }
  } catch (const std::bad_alloc&) {
    // There is no memory to hold it, so it is a drop like one at the bound, of a source that may
    // not even be known.
    lose_track();
    dropped += templates - placed;
  }
  return dropped;
}

std::size_t Coalescer::put(Channel& channel, event::Notification&& notification,
                           std::int64_t previous_offset, base::TimePoint now) {
  const std::size_t bytes = bytes_of(notification);
  const std::size_t most_bytes = bytes + bytes_of_frame_on(channel);
  std::size_t dropped = 0;
  for (; held_ > 0 && !fits(most_bytes); ++dropped) drop_oldest();
  if (!fits(most_bytes)) {
    miss_the_new_one(channel);
    return dropped + 1;
  }

  try {
    pool_.make_room();
    arrivals_.make_room(held_);
    make_room_for_a_frame();
  } catch (const std::bad_alloc&) {
    miss_the_new_one(channel);
    return dropped + 1;
  }
  const std::size_t item_bytes =
      message_bytes(notification, memory_.one_source_per_channel(channel.template_index));
  OpenFrame* frame = channel.open_frame;
  if (frame != nullptr && frame->message_bytes + item_bytes > limits_.frame_bytes_max) {
    end_open_frame(channel);
    frame = nullptr;
  }
  if (frame == nullptr) frame = &open_frame(channel, now);
  frame->frame.push_back(pool_.take(std::move(notification), previous_offset));
  frame->message_bytes += item_bytes;
  frame->held_bytes += bytes;
  held_bytes_ += bytes;
  held_ += 1;
  arrivals_.push_back(*frame);
  if (frame->frame.events() >= limits_.frame_events_max ||
      frame->message_bytes >= limits_.frame_bytes_max) {
    close_frame(*frame);
  }
  return dropped;
}

void Coalescer::follow_age(base::Duration age) noexcept {
  linger_ = std::max(limits_.linger, std::min((age - kFresh) * kLingerFactor, limits_.linger_max));
}

base::Duration Coalescer::linger() const noexcept {
  const bool half_full = held_ > limits_.held_max / 2 || held_bytes_ > limits_.held_bytes_max / 2;
  return half_full ? base::Duration::zero() : linger_;
}

// Any source may have missed some, and nobody knows which: what it says next has no known
// predecessor.
void Coalescer::lose_track() noexcept {
  memory_.forget_offsets();
  for (OpenFrame* frame = all_.front(); frame != nullptr; frame = frame->in_all.after) {
    if (frame->frame.channel().open_frame == frame) close_frame(*frame);
  }
}

void Coalescer::miss_the_new_one(Channel& channel) noexcept {
  channel.missed += 1;
  end_open_frame(channel);
}

// A reader takes the events of a frame for all that there were between its first and its last: a
// gap is between two frames, where `prev` shows it.
void Coalescer::end_open_frame(Channel& channel) noexcept {
  if (channel.open_frame != nullptr) close_frame(*channel.open_frame);
}

bool Coalescer::fits(std::size_t bytes) const noexcept {
  return held_ < limits_.held_max && held_bytes_ + bytes <= limits_.held_bytes_max;
}

std::optional<Frame> Coalescer::take_due(base::TimePoint now) {
  OpenFrame* oldest = all_.front();
  if (oldest == nullptr) return std::nullopt;
  if (is_due(*oldest, now)) return remove(*oldest);
  if (!full_.empty()) return remove(*full_.front());
  return std::nullopt;
}

bool Coalescer::is_due(const OpenFrame& frame, base::TimePoint now) const noexcept {
  return frame.in_full.linked || now == base::kNever || now - frame.opened_at >= linger();
}

base::TimePoint Coalescer::next_due_at() const noexcept {
  if (all_.empty()) return base::kNever;
  if (!full_.empty()) return base::TimePoint::min();
  return all_.front()->opened_at + linger();
}

void Coalescer::make_room_for_a_frame() {
  if (!free_frames_.empty()) return;
  // All could be free at once; the list must have room for them then.
  if (free_frames_.capacity() <= frame_store_.size()) {
    free_frames_.reserve(2 * frame_store_.size() + 16);
  }
  free_frames_.push_back(&frame_store_.emplace_back());
}

OpenFrame& Coalescer::open_frame(Channel& channel, base::TimePoint now) noexcept {
  OpenFrame& frame = *free_frames_.back();
  free_frames_.pop_back();
  frame.frame = Frame{channel, memory_, pool_};
  frame.opened_at = now;
  frame.message_bytes = kMessageHeadBytes;
  frame.held_bytes = bytes_of_frame_on(channel);
  held_bytes_ += frame.held_bytes;
  channel.open_frame = &frame;
  all_.push_back(frame);
  return frame;
}

void Coalescer::close_frame(OpenFrame& frame) noexcept {
  frame.frame.channel().open_frame = nullptr;
  full_.push_back(frame);
}

Frame Coalescer::remove(OpenFrame& frame) noexcept {
  Channel& channel = frame.frame.channel();
  if (channel.open_frame == &frame) channel.open_frame = nullptr;
  all_.erase(frame);
  full_.erase(frame);
  held_bytes_ -= frame.held_bytes;
  held_ -= frame.frame.events();
  frame.generation += 1;
  free_frames_.push_back(&frame);
  Frame taken = std::move(frame.frame);
  if (taken.events() > 0) taken.set_missed(std::exchange(channel.missed, 0));
  return taken;
}

void Coalescer::drop_oldest() noexcept {
  OpenFrame& frame = arrivals_.pop_oldest();
  const std::size_t bytes = bytes_of(frame.frame.front()->notification);
  frame.frame.channel().missed += 1;
  frame.frame.drop_front();
  frame.held_bytes -= bytes;
  held_bytes_ -= bytes;
  held_ -= 1;
  if (frame.frame.events() == 0) remove(frame);
}

std::size_t Coalescer::drop_all() noexcept {
  const std::size_t dropped = held_;
  while (!all_.empty()) remove(*all_.front());
  arrivals_.clear();
  return dropped;
}

void Coalescer::add_missed(ChannelRef channel, std::uint64_t count) noexcept {
  if (Channel* known = channel.get()) known->missed += count;
}

std::uint64_t Coalescer::memory_bytes_max(const Limits& limits, std::size_t templates) noexcept {
  return
      // Held notifications, their texts, frames and the channels that frames keep.
      std::uint64_t{limits.held_bytes_max}
      // Objects that held notifications once and wait for the next ones.
      + HeldPool::bytes_max(limits.held_max)
      // The same for frames: at the most each notification had one of its own.
      + limits.held_max * (sizeof(OpenFrame) + sizeof(OpenFrame*) * 2)
      // Which frame holds the oldest.
      + ArrivalOrder::bytes_max(limits.held_max)
      // Remembered sources and their channels, and one with the longest texts on top.
      + SourceMemory::bytes_max(limits.sources_remembered_max, templates) +
      (1 + 3 * templates) * (kSourceTypeBytesMax + kSourceIdBytesMax);
}

}  // namespace dualstream::redis
