// RedisAdmin sets a real redis-server up for a test: CONFIG SET, ACL, CLIENT KILL, INFO.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct redisContext;

namespace dualstream::testing {

// Thread: one thread at a time.
class RedisAdmin {
 public:
  // Throws std::runtime_error when Redis cannot be reached.
  explicit RedisAdmin(const std::string& address);

  // "CONFIG SET maxmemory 1", split at spaces. The reply as text; throws std::runtime_error with
  // Redis' words when it is an error or does not come within 5 s.
  std::string command(std::string_view words);
  // Also for words with spaces in them. An error is returned like any reply.
  std::string reply_to(const std::vector<std::string>& words);
  // Sends it and does not wait for a reply, which is never read: for commands that do not end.
  void start(const std::vector<std::string>& words);

  // A number of INFO: info("total_connections_received").
  [[nodiscard]] std::uint64_t info(std::string_view name);

 private:
  struct Free {
    void operator()(redisContext* context) const noexcept;
  };
  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace dualstream::testing
