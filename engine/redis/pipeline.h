// Pipeline matches Redis' replies to the commands that were written: the window.
//
// Redis answers every command of a connection once and in order, so the n-th reply belongs to the
// n-th command, from the connection's first on:
//
//   written   AUTH     CLIENT SETNAME   PING    | PUBLISH   PUBLISH   PUBLISH
//   replies   +OK      +OK              +PONG   | :2        -NOPERM   :0
//             greeting: frames are written only after its last reply
//
// A connection has a Pipeline of its own from its first command to its end, so a reply can never
// meet a frame of another one. A reply that is not of the kind that its command can have means that
// the two are no longer in step (or that it is not Redis that talks): the connection is given up.
//
// Pure: no I/O, no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "redis/redis_connection.h"
#include "redis/source_memory.h"

namespace dualstream::redis {

enum class Command : std::uint8_t { auth, set_name, ping, publish };

// A command that was written and not answered.
struct Written {
  Command command = Command::publish;
  base::TimePoint at{};
  // Of a frame:
  ChannelRef channel;
  std::uint32_t events = 0;
  std::uint64_t missed = 0;   // What it told of.
  base::TimePoint made_at{};  // When its oldest notification was made.
};

enum class Answer : std::uint8_t {
  done,     // The command did its work.
  refused,  // We lack a right or a password, or the server takes nobody more.
  error,    // Any other error.
  broken,   // No reply to such a command: the stream cannot be trusted any more.
};

struct Answered {
  Written written;
  Answer answer = Answer::broken;
};

// What a reply means for a command.
[[nodiscard]] Answer answer_of(Command command, const Reply& reply) noexcept;

// Thread: Redis worker only.
class Pipeline {
 public:
  explicit Pipeline(std::size_t window_frames_max);

  [[nodiscard]] bool window_full() const noexcept { return size_ >= window_.size(); }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  // Commands, greeting included.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Notifications in the frames of the window.
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  // kNever when nothing waits for a reply.
  [[nodiscard]] base::TimePoint oldest_written_at() const noexcept;

  // The window is not full.
  void wrote(const Written& written) noexcept;

  // The command that the next reply belongs to; empty when nothing was asked.
  [[nodiscard]] std::optional<Answered> match(const Reply& reply) noexcept;

  // The oldest command that will get no reply any more, when the connection is lost.
  [[nodiscard]] std::optional<Written> take_unanswered() noexcept;

  [[nodiscard]] static std::uint64_t memory_bytes_max(std::size_t window_frames_max) noexcept;

 private:
  [[nodiscard]] Written pop() noexcept;

  std::vector<Written> window_;  // A ring.
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace dualstream::redis
