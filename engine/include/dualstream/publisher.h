// Publisher is one ingest thread's way into an Engine.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "dualstream/event_view.h"
#include "dualstream/export.h"
#include "dualstream/outcome.h"
#include "dualstream/status.h"

namespace dualstream {

class PublisherImpl;

// Events of one source that go through one Publisher stand in Kafka in publish order.
//
// Memory:   up to 128 KiB between calls, of what memory_bytes_max() allows.
// Thread:   one thread at a time; take one per ingest thread from Engine::publisher().
// Lifetime: the Engine must outlive it. After Engine::stop() every call says `stopping`.
class DUALSTREAM_EXPORT Publisher {
 public:
  Publisher(Publisher&&) noexcept;
  Publisher& operator=(Publisher&&) noexcept;
  ~Publisher();

  // Copies `event` and returns; never blocks, never throws, allocates at most once.
  [[nodiscard]] PublishResult publish(const EventView& event) noexcept;

  // As publish(), but waits up to `timeout` for room. In on_outcomes it does not wait: room comes
  // from there.
  [[nodiscard]] PublishResult publish(const EventView& event,
                                      std::chrono::milliseconds timeout) noexcept;

  // Publishes and waits for Kafka's answer to every one of them; the answers stand in the order of
  // `events`, in `outcomes`, which must be as long. These events' outcomes do not go to
  // on_outcomes. Ok when all were delivered. After `timeout` those without an answer are `pending`,
  // and their outcomes will go to on_outcomes.
  Status publish_and_wait(std::span<const EventView> events, std::chrono::milliseconds timeout,
                          std::span<Outcome> outcomes);

  // Publishes one JSON object, unchanged, as the payload; finds the fields as Options::json says.
  // `invalid` for a line that is not one whole valid JSON object or lacks a field. A trailing
  // newline is not part of the line.
  [[nodiscard]] PublishResult publish_json(std::string_view line, std::uint64_t tag = 0) noexcept;
  [[nodiscard]] PublishResult publish_json(std::string_view line, std::uint64_t tag,
                                           std::chrono::milliseconds timeout) noexcept;

  // Why the last call on this Publisher refused its event: a phrase such as "/repo/name is
  // missing". Valid until the next call.
  [[nodiscard]] std::string_view refusal_reason() const noexcept;

 private:
  friend class Engine;
  explicit Publisher(std::unique_ptr<PublisherImpl> impl) noexcept;

  std::unique_ptr<PublisherImpl> impl_;
};

}  // namespace dualstream
