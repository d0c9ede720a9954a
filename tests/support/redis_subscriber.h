// RedisSubscriber is a real subscriber: it collects what Redis delivers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace dualstream::testing {

struct RedisMessage {
  std::string channel;
  std::string text;
};

struct RedisSubscription {
  std::vector<std::string> channels{};
  std::vector<std::string> patterns{};
  // Used when not empty.
  std::string password{};
};

// Thread:   every member may be called from any thread.
// Lifetime: the destructor unsubscribes by closing the connection.
class RedisSubscriber {
 public:
  // Returns when Redis has confirmed every channel and pattern, so that nothing published later is
  // missed. Throws std::runtime_error when that takes longer than 5 s or Redis refuses.
  RedisSubscriber(const std::string& address, const RedisSubscription& subscription);
  RedisSubscriber(const RedisSubscriber&) = delete;
  RedisSubscriber& operator=(const RedisSubscriber&) = delete;
  ~RedisSubscriber();

  // Whether `count` messages in all have arrived within `timeout`. Also ends, with false, when the
  // connection is lost; it is not made again.
  [[nodiscard]] bool wait_for(std::size_t count, std::chrono::milliseconds timeout);

  // What has arrived so far, in order.
  [[nodiscard]] std::vector<RedisMessage> messages() const;
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] bool connected() const;

 private:
  class Connection;

  void listen();

  const std::unique_ptr<Connection> connection_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<RedisMessage> messages_;
  bool connected_ = true;

  std::thread thread_;
};

}  // namespace dualstream::testing
