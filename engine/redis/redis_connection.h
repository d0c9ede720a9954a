// RedisConnection is the port to one Redis server: commands out, replies in, nothing blocks.
//
// The engine's side behind it is hiredis_connection.cc; tests put a fake there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace dualstream::redis {

// The replies that a publisher can get; any other kind is a broken protocol.
enum class ReplyKind : std::uint8_t { integer, status, error };

struct Reply {
  ReplyKind kind = ReplyKind::integer;
  std::int64_t integer = 0;
  std::string text;  // Of a status or an error, as the server said it.
};

enum class LinkState : std::uint8_t { closed, connecting, open };

// Thread: the Redis worker's.
class RedisConnection {
 public:
  virtual ~RedisConnection() = default;

  // Starts a new connection; an earlier one is closed, and what it had not sent is forgotten.
  virtual void connect() = 0;

  // Closes it at once. failure() stays.
  virtual void close() noexcept = 0;

  // Where it stands. Looks at the socket while connecting.
  [[nodiscard]] virtual LinkState state() = 0;

  // Why it was closed, when connect() or the other side did it.
  [[nodiscard]] virtual std::string_view failure() const = 0;

  // Whether append() may be called: what waits to be sent is below its bound. One command may go
  // over the bound, so that any command can be sent.
  [[nodiscard]] virtual bool has_room() const = 0;

  // Puts a command behind those that wait to be sent. All of it or, with an exception, nothing.
  virtual void append(std::span<const std::string_view> command) = 0;

  // Sends what the system takes; returns how many bytes.
  virtual std::size_t flush() = 0;

  // Moves replies that have arrived to the front of `out`, in order; returns how many. Fewer than
  // `out.size()` means that there are no more at present.
  [[nodiscard]] virtual std::size_t poll_replies(std::span<Reply> out) = 0;

  // For a connection whose replies are not one line each, in place of poll_replies(): appends bytes
  // that have arrived, a bounded number of them; false if there were none.
  [[nodiscard]] virtual bool receive_into(std::string& bytes);

  // Polled while not closed; -1 if there is no such descriptor.
  [[nodiscard]] virtual int fd() const = 0;
  [[nodiscard]] virtual bool wants_write() const = 0;
};

}  // namespace dualstream::redis
