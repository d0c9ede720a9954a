// RedisWorker takes notifications from their queue to Redis, as PUBLISH commands, and never waits
// for it.
//
//   NotificationQueue -> take_notifications() -> Coalescer -> send_frames() -> RedisConnection
//                                                                 |                  |
//   counters <- settle_replies() <------------------- Pipeline <--+-- replies <------+
//
// The link, a state at a time:
//
//   waiting --(back-off is over)--> connecting --(socket open)--> greeting --(PING answered)-->
//   ready
//      ^                                |                            |                            |
//      '---- failed, refused, or not ready in connect_timeout -------+---- lost, or no reply -----'
//                                                                          for reply_timeout
//
// What was written when a connection is lost is `unconfirmed` and never sent again: a notification
// goes out at most once. What is held then stays held.
//
// Each notification that is taken from the queue is counted once for each template, as notified,
// dropped_overflow, dropped_refused, dropped_error, dropped_stopped or unconfirmed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/counters.h"
#include "base/histogram.h"
#include "base/log.h"
#include "base/worker.h"
#include "event/notification_queue.h"
#include "redis/backoff.h"
#include "redis/coalescer.h"
#include "redis/health_log.h"
#include "redis/message_buffer.h"
#include "redis/pipeline.h"
#include "redis/redis_connection.h"

namespace dualstream::redis {

// Thread:   the Redis worker's; stop_by() on any.
// Lifetime: everything that it is given a reference to outlives it.
class RedisWorker final : public base::Duty {
 public:
  struct Settings {
    std::vector<ChannelTemplate> templates;
    Coalescer::Limits coalescing;
    std::size_t window_frames_max = 256;
    base::Duration connect_timeout = std::chrono::seconds{1};
    base::Duration reply_timeout = std::chrono::seconds{5};
    std::string address_text;  // For the log; without a secret.
    std::string username;
    std::string password;
    std::uint64_t backoff_seed = 0;
  };

  // `counters` are this worker's own.
  RedisWorker(Settings settings, std::unique_ptr<RedisConnection> connection,
              event::NotificationQueue& queue, base::Counters& counters, base::Log& log);
  ~RedisWorker() override;

  std::size_t do_work(base::TimePoint now) override;
  [[nodiscard]] base::WakeUp wake_up() const override;
  [[nodiscard]] bool finished() const override { return finished_; }

  // Once the queue is closed, what is left is sent until `give_up_at`. Without a usable connection
  // it ends sooner, kUnreachableGrace after the connection was lost or the queue was empty; with
  // nothing left, at once.
  void stop_by(base::TimePoint give_up_at) noexcept;

  // From a notification's making to Redis' answer, measured by the oldest of each frame. On any
  // thread.
  [[nodiscard]] Latencies latencies() const noexcept { return latencies_.read(); }
  // How Redis is, and why. On any thread.
  [[nodiscard]] std::pair<RedisHealth, std::string> health() const { return health_.health(); }

  static constexpr base::Duration kUnreachableGrace = std::chrono::seconds{2};
  // They are taken so many at a time, and so often before what is due is sent.
  static constexpr std::size_t kNotificationsPerTurn = 256;
  static constexpr std::size_t kTurnsPerCycle = 16;

  // Notifications held and written without a reply, in units of the ledger.
  [[nodiscard]] std::uint64_t pending() const noexcept {
    return coalescer_.held() + pipeline_.events();
  }

 private:
  enum class Link : std::uint8_t { waiting, connecting, greeting, ready };

  // Frames linger, so they leave together with others.
  [[nodiscard]] bool works_in_rounds() const noexcept;
  [[nodiscard]] bool can_send() const noexcept;
  std::size_t take_notifications(base::TimePoint now);
  std::size_t advance_link(base::TimePoint now);
  std::size_t settle_replies(base::TimePoint now);
  std::size_t send_frames(base::TimePoint now);
  void give_up_if_late(base::TimePoint now);
  void advance_stop(base::TimePoint now);
  void finish();

  void greet(base::TimePoint now);
  void write(Command command, std::span<const std::string_view> parts, base::TimePoint now);
  void send(Frame&& frame, base::TimePoint now);
  void follow_greeting(const Answered& answered, const Reply& reply, base::TimePoint now);
  void settle_frame(const Answered& answered, const Reply& reply, base::TimePoint now);
  void lose(std::string_view reason, base::TimePoint now);
  void be_refused(std::string_view reason, base::TimePoint now);
  void disconnect(base::TimePoint now);
  void count(Counter counter, std::uint64_t units) noexcept;
  [[nodiscard]] base::TimePoint give_up_at() const noexcept;
  // The window is not empty.
  [[nodiscard]] base::TimePoint reply_late_at() const noexcept;

  static constexpr std::size_t kRepliesPerRound = 64;
  static constexpr std::size_t kReplyRoundsPerCycle = 8;

  const Settings settings_;
  const std::unique_ptr<RedisConnection> connection_;
  event::NotificationQueue& queue_;
  base::Counters& counters_;

  Coalescer coalescer_;
  Pipeline pipeline_;
  Backoff backoff_;
  HealthLog health_;
  base::Histogram latencies_;

  Link link_ = Link::waiting;
  base::TimePoint attempt_at_{};  // The next one, while waiting; else the last.
  base::TimePoint replied_at_{};  // When a reply last came.
  base::TimePoint lost_at_{};     // When it was last ready.
  bool refused_ = false;          // How the last attempt ended.

  base::TimePoint next_round_at_{};  // When frames leave again, while they do in rounds.

  bool drained_ = false;  // The queue is closed and empty.
  base::TimePoint drained_at_{};
  bool finished_ = false;

  // The worker's own ledger, in units: what was taken is settled once.
  std::uint64_t taken_ = 0;
  std::uint64_t settled_ = 0;

  // Reused from cycle to cycle.
  std::vector<event::Notification> notifications_;
  std::array<Reply, kRepliesPerRound> replies_;
  MessageBuffer message_;

  // Written by stop_by().
  std::atomic<base::TimePoint> stop_by_{base::kNever};
};

}  // namespace dualstream::redis
