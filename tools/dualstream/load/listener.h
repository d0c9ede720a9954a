// Listener is a real subscriber of Redis: the third clock, when a notification has come.
//
// It subscribes to a pattern for each channel template, on a connection of its own, and knows the
// events of the run by their ids. The one file of the command that knows hiredis.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "console.h"
#include "dualstream/options.h"
#include "latency_recorder.h"
#include "run_clock.h"
#include "thread.h"

namespace dualstream::command {

class RedisClient;

struct ListenerOptions {
  RedisOptions redis;
  std::uint32_t run = 0;
  std::chrono::nanoseconds warmup{0};
};

// The channels of the run's events, as a pattern of Redis: the template with `*` for what differs.
[[nodiscard]] std::string pattern_of(std::string_view channel_template);

// A Redis that cannot be reached, or goes away, is tried again twice a second; what it does not
// deliver meanwhile is missed, as it is by any subscriber.
//
// Thread:   any, but for latency().
// Lifetime: console and clock outlive it.
class Listener {
 public:
  // An error only if the address cannot be understood or the system refuses a thread.
  [[nodiscard]] static Status start(const ListenerOptions& options, const RunClock& clock,
                                    Console& console, std::unique_ptr<Listener>& listener);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  // Whether Redis has confirmed the subscription within that time, or had before.
  [[nodiscard]] bool wait_until_subscribed(std::chrono::milliseconds timeout);

  // Notifications of this run so far.
  [[nodiscard]] std::uint64_t received() const noexcept { return received_.load(); }
  // How often the subscription was lost.
  [[nodiscard]] std::uint64_t losses() const noexcept { return losses_.load(); }

  // Listens no more. Then latency() can be read.
  void stop();
  [[nodiscard]] const LatencyRecorder& latency() const noexcept { return latency_; }

 private:
  Listener(const ListenerOptions& options, const RunClock& clock, Console& console, int wake_fd);

  void run();
  [[nodiscard]] std::string subscribe();
  void listen(RedisClient& connection);
  void take(std::string_view message, std::chrono::nanoseconds now);
  void set_subscribed(bool subscribed);

  const RunClock& clock_;
  Console& console_;
  const int wake_fd_;  // Readable when it has to end.
  const std::string needle_;
  const std::uint32_t run_;
  std::vector<std::string> patterns_;
  std::unique_ptr<RedisClient> connection_;

  LatencyRecorder latency_;  // The listening thread's.
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> losses_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  bool subscribed_ = false;  // Guarded by mutex_.

  Thread thread_;
};

}  // namespace dualstream::command
