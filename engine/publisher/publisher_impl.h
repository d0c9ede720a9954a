// PublisherImpl is what stands behind a Publisher: its end of the queue, its counters and its
// parser.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/worker.h"
#include "dualstream/options.h"
#include "dualstream/publisher.h"
#include "event/event_parser.h"
#include "event/event_queue.h"

namespace dualstream {

// What one Publisher needs of the engine; given back when it goes, and used again by the next one,
// so that threads may come and go for ever.
struct PublisherSlot {
  explicit PublisherSlot(event::EventQueue& queue) : producer(queue) {}

  // One event in so many is measured from here to its acknowledgement. A prime, so that bursts of
  // a round number do not have the same event measured each time.
  static constexpr std::uint32_t kMeasuredEvery = 17;

  [[nodiscard]] bool measures_next() noexcept {
    if (until_measured > 0) {
      until_measured -= 1;
      return false;
    }
    until_measured = kMeasuredEvery - 1;
    return true;
  }

  event::EventQueue::Producer producer;
  base::Counters counters;
  std::uint32_t until_measured = 0;
  std::atomic<bool> in_use{true};
};

class PublisherImpl {
 public:
  // Lifetime: the references outlive it.
  PublisherImpl(PublisherSlot& slot, event::EventQueue& queue, const base::Worker& kafka_worker,
                const Options& options)
      : slot_(slot), queue_(queue), kafka_worker_(kafka_worker), options_(options) {}
  ~PublisherImpl() { slot_.in_use.store(false, std::memory_order_release); }

  PublisherImpl(const PublisherImpl&) = delete;
  PublisherImpl& operator=(const PublisherImpl&) = delete;

  PublishResult publish(const EventView& event) noexcept;
  PublishResult publish(const EventView& event, std::chrono::milliseconds timeout) noexcept;
  Status publish_and_wait(std::span<const EventView> events, std::chrono::milliseconds timeout,
                          std::span<Outcome> outcomes);

  // The fields of a line, or why there are none. `event` lives until the next call.
  PublishResult parse(std::string_view line, std::uint64_t tag, EventView& event) noexcept;

  [[nodiscard]] std::string_view refusal_reason() const noexcept { return refusal_reason_; }

  // Counts a refusal; returns `result`.
  PublishResult refuse(PublishResult result, std::string_view reason) noexcept;

 private:
  // Waits for room until `deadline()`, which is asked only when there is none.
  template <typename Deadline>
  PublishResult publish_waiting(const EventView& event, const Deadline& deadline,
                                event::AnswerSlot answer) noexcept;
  [[nodiscard]] PublishResult check(const EventView& event) noexcept;
  [[nodiscard]] PublishResult try_publish(const EventView& event,
                                          event::AnswerSlot& answer) noexcept;

  PublisherSlot& slot_;
  event::EventQueue& queue_;
  const base::Worker& kafka_worker_;
  const Options& options_;
  std::unique_ptr<event::EventParser> parser_;  // Made at the first line.
  std::string parse_error_;
  std::string_view refusal_reason_;
};

}  // namespace dualstream
