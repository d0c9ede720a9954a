// The caller's side of the flow: check, admit, copy, push.
#include "dualstream/publisher.h"

#include <exception>
#include <new>
#include <utility>

#include "publisher/publisher_impl.h"

namespace dualstream {
namespace {

base::TimePoint deadline_after(std::chrono::milliseconds timeout) noexcept {
  const base::TimePoint now = base::Clock::now();
  return timeout < base::kNever - now ? now + timeout : base::kNever;
}

}  // namespace

PublishResult PublisherImpl::refuse(PublishResult result, std::string_view reason) noexcept {
  refusal_reason_ = reason;
  slot_.counters.add(dualstream::counter_of(result));
  return result;
}

// Sets the reason when it is not `accepted`, and counts nothing.
PublishResult PublisherImpl::check(const EventView& event) noexcept {
  const auto invalid = [this](std::string_view reason) {
    refusal_reason_ = reason;
    return PublishResult::invalid;
  };
  if (event.id.empty()) return invalid("id is empty");
  if (event.type.empty()) return invalid("type is empty");
  if (event.source_type.empty()) return invalid("source_type is empty");
  if (event.source_id.empty()) return invalid("source_id is empty");
  if (event.id.size() > kIdBytesMax) return invalid("id is longer than 1024 bytes");
  if (event.type.size() > kTypeBytesMax) return invalid("type is longer than 256 bytes");
  if (event.source_type.size() > kSourceTypeBytesMax)
    return invalid("source_type is longer than 256 bytes");
  if (event.source_id.size() > kSourceIdBytesMax) return invalid("source_id is longer than 32 KiB");
  if (event.source_id.size() + event.payload.size() > options_.kafka.event_bytes_max) {
    refusal_reason_ = "key and payload are larger than kafka.event_bytes_max";
    return PublishResult::too_large;
  }
  if (event.source_id.size() + event.payload.size() > queue_.record_bytes_max()) {
    refusal_reason_ = "key and payload are larger than the topic's max.message.bytes allows";
    return PublishResult::too_large;
  }
  return PublishResult::accepted;
}

PublishResult PublisherImpl::try_publish(const EventView& event,
                                         event::AnswerSlot& answer) noexcept {
  const std::size_t bytes = event::block_bytes(event);
  switch (queue_.admit(bytes)) {
    case event::EventQueue::Admission::admitted:
      break;
    case event::EventQueue::Admission::full:
      refusal_reason_ = "the queue is full: Kafka takes events more slowly than they come";
      return PublishResult::full;
    case event::EventQueue::Admission::closed:
      refusal_reason_ = queue_.in_child()
                            ? "the engine is the parent's; a forked child has to open its own"
                            : "the engine is stopping";
      return PublishResult::stopping;
  }
  event::EventPtr copy = slot_.producer.make(event);
  if (copy) {
    copy->answer = std::move(answer);
    if (slot_.measures_next()) copy->published_at = base::Clock::now();
    // Counted before the Kafka worker can see it: an event is never delivered before it was
    // accepted.
    slot_.counters.add(Counter::accepted);
    if (queue_.push(slot_.producer, copy)) [[likely]]
      return PublishResult::accepted;
    slot_.counters.take_back(Counter::accepted);
    answer = std::move(copy->answer);
  }
  queue_.release(1, bytes);
  refusal_reason_ = "there is no memory for a copy";
  return PublishResult::full;
}

PublishResult PublisherImpl::publish(const EventView& event) noexcept {
  event::AnswerSlot nobody_waits;
  PublishResult result = check(event);
  if (result == PublishResult::accepted) [[likely]]
    result = try_publish(event, nobody_waits);
  return result == PublishResult::accepted ? result : refuse(result, refusal_reason_);
}

template <typename Deadline>
PublishResult PublisherImpl::publish_waiting(const EventView& event, const Deadline& deadline,
                                             event::AnswerSlot answer) noexcept {
  PublishResult result = check(event);
  if (result == PublishResult::accepted) [[likely]]
    result = try_publish(event, answer);
  if (result == PublishResult::accepted) [[likely]]
    return result;
  // On the Kafka worker's own thread, in on_outcomes, waiting would be for ever: room comes from
  // there.
  const bool may_wait = result == PublishResult::full && !kafka_worker_.is_current();
  if (may_wait) {
    const base::TimePoint until = deadline();  // Only now: a clock costs as much as the rest.
    while (result == PublishResult::full &&
           queue_.wait_for_room(event::block_bytes(event), until)) {
      result = try_publish(event, answer);
    }
  }
  return result == PublishResult::accepted ? result : refuse(result, refusal_reason_);
}

PublishResult PublisherImpl::publish(const EventView& event,
                                     std::chrono::milliseconds timeout) noexcept {
  return publish_waiting(event, [timeout] { return deadline_after(timeout); }, {});
}

Status PublisherImpl::publish_and_wait(std::span<const EventView> events,
                                       std::chrono::milliseconds timeout,
                                       std::span<Outcome> outcomes) {
  if (outcomes.size() < events.size()) {
    return Status::error(
        StatusCode::invalid_options,
        "publish_and_wait: `outcomes` is shorter than `events`; give one for each");
  }
  if (kafka_worker_.is_current()) {
    return Status::error(StatusCode::invalid_options,
                         "publish_and_wait: it cannot be called in on_outcomes, which brings the "
                         "answers; use publish()");
  }
  const base::TimePoint deadline = deadline_after(timeout);
  const auto answers = std::make_shared<event::Answers>(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    const PublishResult result = publish_waiting(
        events[i], [deadline] { return deadline; }, event::AnswerSlot{answers, i});
    if (result != PublishResult::accepted) answers->refuse(i, result, events[i].tag);
  }
  answers->wait_until(deadline, outcomes);
  std::size_t delivered = 0;
  std::size_t pending = 0;
  const Outcome* first_bad = nullptr;
  for (const Outcome& outcome : outcomes.first(events.size())) {
    if (outcome.kind == OutcomeKind::delivered) {
      delivered += 1;
      continue;
    }
    if (outcome.kind == OutcomeKind::pending) pending += 1;
    if (first_bad == nullptr) first_bad = &outcome;
  }
  if (delivered == events.size()) return {};
  std::string message =
      "publish_and_wait: " + std::to_string(delivered) + " of " + std::to_string(events.size()) +
      " events were delivered; the first of the others is " + std::string{name(first_bad->kind)};
  if (first_bad->kind == OutcomeKind::refused)
    message += ": " + std::string{name(first_bad->refusal)};
  if (first_bad->kind == OutcomeKind::failed) message += ": " + std::string{first_bad->detail};
  if (pending == 0) return Status::error(StatusCode::rejected, std::move(message));
  message += "; the outcomes of the pending ones go to on_outcomes";
  return Status::error(StatusCode::timed_out, std::move(message));
}

PublishResult PublisherImpl::parse(std::string_view line, std::uint64_t tag,
                                   EventView& event) noexcept {
  try {
    if (!parser_) parser_ = std::make_unique<event::EventParser>(options_.json);
    switch (parser_->parse(line, event, parse_error_)) {
      case event::EventParser::Result::ok:
        event.tag = tag;
        return PublishResult::accepted;
      case event::EventParser::Result::invalid:
        return refuse(PublishResult::invalid, parse_error_);
      case event::EventParser::Result::too_large:
        return refuse(PublishResult::too_large, parse_error_);
    }
  } catch (const std::exception&) {
    // Only the allocations of a parser or of a reason can throw.
  }
  return refuse(PublishResult::full, "there is no memory to parse the line");
}

Publisher::Publisher(std::unique_ptr<PublisherImpl> impl) noexcept : impl_(std::move(impl)) {}
Publisher::Publisher(Publisher&&) noexcept = default;
Publisher& Publisher::operator=(Publisher&&) noexcept = default;
Publisher::~Publisher() = default;

PublishResult Publisher::publish(const EventView& event) noexcept { return impl_->publish(event); }

PublishResult Publisher::publish(const EventView& event,
                                 std::chrono::milliseconds timeout) noexcept {
  return impl_->publish(event, timeout);
}

Status Publisher::publish_and_wait(std::span<const EventView> events,
                                   std::chrono::milliseconds timeout, std::span<Outcome> outcomes) {
  try {
    return impl_->publish_and_wait(events, timeout, outcomes);
  } catch (const std::bad_alloc&) {
    return Status::error(StatusCode::exhausted, "out of memory");  // Short: in place.
  }
}

PublishResult Publisher::publish_json(std::string_view line, std::uint64_t tag) noexcept {
  EventView event;
  const PublishResult parsed = impl_->parse(line, tag, event);
  return parsed == PublishResult::accepted ? impl_->publish(event) : parsed;
}

PublishResult Publisher::publish_json(std::string_view line, std::uint64_t tag,
                                      std::chrono::milliseconds timeout) noexcept {
  EventView event;
  const PublishResult parsed = impl_->parse(line, tag, event);
  return parsed == PublishResult::accepted ? impl_->publish(event, timeout) : parsed;
}

std::string_view Publisher::refusal_reason() const noexcept { return impl_->refusal_reason(); }

}  // namespace dualstream
