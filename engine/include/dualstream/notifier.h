// Notifier announces events that Kafka has already: notifications without publishing, for replays.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "dualstream/event_view.h"
#include "dualstream/export.h"
#include "dualstream/log_line.h"
#include "dualstream/options.h"
#include "dualstream/status.h"

namespace dualstream {

class NotifierImpl;

// How many notifications became what; one for each event and channel template.
struct NotifierStats {
  std::uint64_t announced = 0;
  std::uint64_t notified = 0;
  std::uint64_t dropped = 0;
  std::uint64_t unconfirmed = 0;
  std::uint64_t pending = 0;
};

// Give it channels of their own, such as `replay:{source_type}:{source_id}`: readers of the live
// ones would see time run backwards.
//
// Thread: one thread at a time.
class DUALSTREAM_EXPORT Notifier {
 public:
  // Read: all of `redis`, whose address is required. Connects in the background.
  [[nodiscard]] static Status open(const RedisOptions& redis,
                                   std::function<void(const LogLine&)> on_log,
                                   std::unique_ptr<Notifier>& notifier);
  // stop() with a deadline of 10 s, if it was not called.
  ~Notifier();

  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Waits up to `timeout` for room; false when there was none, and nothing was taken. The payload
  // is not read.
  [[nodiscard]] bool notify(const EventView& event, std::int32_t partition, std::int64_t offset,
                            std::chrono::milliseconds timeout);

  // Waits up to `timeout` until all that was taken went out or was counted as lost.
  [[nodiscard]] bool drain(std::chrono::milliseconds timeout);

  void stop(std::chrono::milliseconds deadline);
  [[nodiscard]] NotifierStats stats() const;

 private:
  explicit Notifier(std::unique_ptr<NotifierImpl> impl) noexcept;

  const std::unique_ptr<NotifierImpl> impl_;
};

}  // namespace dualstream
