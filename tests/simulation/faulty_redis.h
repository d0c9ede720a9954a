// FaultyRedis stands behind the RedisConnection port: a connection and its server, of which
// anything may fail that the port allows, by chance.
//
//   append() -> [ not sent ] -> flush() -> [ the server's socket ] -> act() -> readers
//                                                                       |
//   poll_replies() <----------------- [ replies ] <---------------------+
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "base/time.h"
#include "redis/redis_connection.h"
#include "simulation/channel_readers.h"
#include "simulation/random.h"
#include "simulation/truth.h"

namespace dualstream::simulation {

class FaultyRedis final : public redis::RedisConnection {
 public:
  // Chances in a thousand, of each occasion.
  struct Faults {
    std::uint64_t refuse_connect = 0;
    std::uint64_t slow_connect = 0;
    std::uint64_t refuse_greeting = 0;  // Too many clients, a wrong password.
    std::uint64_t cut = 0;              // The connection breaks.
    std::uint64_t hang = 0;             // The server falls asleep, for long.
    std::uint64_t late = 0;             // It does nothing now; its replies do not arrive yet.
    std::uint64_t part = 0;             // A write is taken in part, or not at all.
    std::uint64_t error = 0;            // A PUBLISH is answered with an error.
    std::uint64_t garbage = 0;          // Or with what is no answer to it.
    std::uint64_t no_memory = 0;        // append() throws.
    bool last_words = false;            // What a lost connection had carried is heard much later.
  };

  // `now` is the simulation's clock.
  FaultyRedis(const Faults& faults, std::size_t unsent_bytes_max, const base::TimePoint& now,
              Random& random, Truth& truth, ChannelReaders& readers)
      : faults_(faults),
        unsent_bytes_max_(unsent_bytes_max),
        now_(now),
        random_(random),
        truth_(truth),
        readers_(readers) {}

  // A moment in the server. False when there is nothing for it to do.
  bool act();

  // From now on nothing fails or is late.
  void calm();

  // In units of the ledger, of the replies that the worker took.
  struct Answered {
    std::uint64_t done = 0;
    std::uint64_t refused = 0;
    std::uint64_t error = 0;
    std::uint64_t missed_told = 0;  // By frames whose PUBLISH was done.
  };
  [[nodiscard]] const Answered& answered() const noexcept { return answered_; }

  // For how long the worker has been owed a reply to a PUBLISH and has not had any.
  [[nodiscard]] base::Duration silence() const {
    if (written_at_.empty()) return {};
    return now_ - std::max(written_at_.front(), replied_at_);
  }

  // The port.
  void connect() override;
  void close() noexcept override;
  redis::LinkState state() override { return state_; }
  std::string_view failure() const override { return failure_; }
  bool has_room() const override { return unsent_bytes_ < unsent_bytes_max_; }
  void append(std::span<const std::string_view> command) override;
  std::size_t flush() override;
  std::size_t poll_replies(std::span<redis::Reply> out) override;
  int fd() const override { return state_ == redis::LinkState::closed ? -1 : 77; }
  bool wants_write() const override { return !unsent_.empty(); }

 private:
  struct Command {
    std::string name;
    std::string channel;
    std::string message;
    std::size_t bytes = 0;  // Not sent yet.
  };
  struct Answer {
    redis::Reply reply;
    ChannelReaders::Told told;
    bool to_publish = false;
    bool garbage = false;
  };

  void fail(std::string_view why);
  void serve(const Command& command);
  [[nodiscard]] Answer publish(const Command& command);

  Faults faults_;
  const std::size_t unsent_bytes_max_;
  const base::TimePoint& now_;
  Random& random_;
  Truth& truth_;
  ChannelReaders& readers_;

  redis::LinkState state_ = redis::LinkState::closed;
  std::string failure_;
  bool refuses_us_ = false;
  std::uint64_t sleeps_ = 0;  // Moments for which the server sleeps.
  std::deque<Command> unsent_;
  std::size_t unsent_bytes_ = 0;
  std::deque<Command> socket_;
  std::deque<Command> last_words_;  // Of connections that were lost.
  std::deque<Answer> answers_;
  std::deque<base::TimePoint> written_at_;  // Of each PUBLISH without a reply.
  base::TimePoint replied_at_{};
  Answered answered_;
};

}  // namespace dualstream::simulation
