// RedisClient is one connection to Redis that waits for its answers, with TLS where the address
// asks for it: what the doctor and the load generator's subscriber need beside the engine.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hiredis/hiredis.h>

#include "redis/redis_address.h"
#include "redis/redis_connection.h"

namespace dualstream::command {

struct FreeReply {
  void operator()(redisReply* reply) const noexcept { ::freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

[[nodiscard]] std::string_view text_of(const redisReply& reply) noexcept;

// Thread: one. Each call that waits does so for the timeout at the most.
class RedisClient {
 public:
  RedisClient(redis::RedisAddress address, std::chrono::milliseconds timeout);
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  // Connects, anew if need be, and logs in. Empty, or what went wrong.
  [[nodiscard]] std::string connect();
  void close() noexcept;

  // The answer; null when there is none.
  Reply ask(const std::vector<std::string>& words);
  // The next answer, which was not asked for.
  Reply next();

  // What is wrong with an answer; empty for a good one.
  [[nodiscard]] std::string wrong_with(const Reply& reply) const;

  // For one that polls fd() itself: takes what has arrived; false when the connection is lost. Then
  // the next whole answer of that; null when there is none, and false for garbage.
  [[nodiscard]] bool read();
  [[nodiscard]] bool next_read(Reply& reply);

  [[nodiscard]] int fd() const { return connection_->fd(); }
  [[nodiscard]] std::string failure() const { return std::string{connection_->failure()}; }
  [[nodiscard]] const redis::RedisAddress& address() const noexcept { return address_; }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct FreeReader {
    void operator()(redisReader* reader) const noexcept { ::redisReaderFree(reader); }
  };

  // False at `deadline`.
  [[nodiscard]] bool wait(TimePoint deadline) const;

  const redis::RedisAddress address_;
  const std::chrono::milliseconds timeout_;
  const std::unique_ptr<redis::RedisConnection> connection_;
  std::unique_ptr<redisReader, FreeReader> reader_;
};

}  // namespace dualstream::command
