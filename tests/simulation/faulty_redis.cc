#include "simulation/faulty_redis.h"

#include <algorithm>
#include <new>
#include <utility>

namespace dualstream::simulation {

using redis::LinkState;
using redis::Reply;
using redis::ReplyKind;

void FaultyRedis::calm() {
  faults_ = {};
  sleeps_ = 0;
  refuses_us_ = false;
}

bool FaultyRedis::act() {
  if (!last_words_.empty() && (faults_.late == 0 || random_.chance(100))) {
    static_cast<void>(publish(last_words_.front()));
    last_words_.pop_front();
    return true;
  }
  if (sleeps_ > 0) {
    sleeps_ -= 1;
    return true;
  }
  if (state_ == LinkState::closed) return false;
  if (random_.chance(faults_.hang)) sleeps_ = random_.between(10, 3'000);
  if (random_.chance(faults_.cut)) {
    fail("cut by the simulation");
    return true;
  }
  if (state_ == LinkState::connecting) {
    if (random_.chance(faults_.slow_connect)) return true;
    if (random_.chance(faults_.refuse_connect)) {
      fail("refused by the simulation");
    } else {
      state_ = LinkState::open;
    }
    return true;
  }
  if (random_.chance(faults_.late)) return true;
  if (socket_.empty()) return false;
  std::size_t count = socket_.size();
  if (random_.chance(faults_.late)) count = random_.between(1, count);
  for (; count > 0; --count) {
    serve(socket_.front());
    socket_.pop_front();
  }
  return true;
}

void FaultyRedis::serve(const Command& command) {
  if (command.name == "PUBLISH") {
    answers_.push_back(publish(command));
  } else if (refuses_us_) {
    answers_.push_back(
        {.reply = {.kind = ReplyKind::error, .text = "NOAUTH said by the simulation"}});
  } else {
    answers_.push_back(
        {.reply = {.kind = ReplyKind::status, .text = command.name == "PING" ? "PONG" : "OK"}});
  }
}

FaultyRedis::Answer FaultyRedis::publish(const Command& command) {
  Answer answer{.to_publish = true};
  if (random_.chance(faults_.error)) {
    answer.reply.kind = ReplyKind::error;
    answer.reply.text = random_.one_of({"NOPERM no", "BUSY a script", "LOADING", "ERR unknown"});
    // Nobody hears of them; the ledger needs to know how many they were.
    answer.told.events = static_cast<std::size_t>(std::ranges::count(command.message, '{'));
    return answer;
  }
  answer.told = readers_.receive(command.channel, command.message);
  answer.reply.integer = static_cast<std::int64_t>(random_.below(3));
  if (random_.chance(faults_.garbage)) {
    answer.garbage = true;
    if (random_.chance(500)) {
      answer.reply.integer = -1;
    } else {
      answer.reply.kind = ReplyKind::status;
      answer.reply.text = random_.one_of({"OK", "PONG", "HTTP/1.1 400 Bad Request"});
    }
  }
  return answer;
}

void FaultyRedis::fail(std::string_view why) {
  failure_ = why;
  close();
}

void FaultyRedis::connect() {
  close();
  refuses_us_ = random_.chance(faults_.refuse_greeting);
  if (random_.chance(faults_.refuse_connect)) {
    failure_ = "refused by the simulation";
    return;
  }
  state_ = random_.chance(500) ? LinkState::open : LinkState::connecting;
}

// What had reached the server is served there in part: a while later, or at once.
void FaultyRedis::close() noexcept {
  state_ = LinkState::closed;
  unsent_.clear();
  unsent_bytes_ = 0;
  answers_.clear();
  written_at_.clear();
  std::size_t heard = random_.below(socket_.size() + 1);
  for (; heard > 0; --heard) {
    if (socket_.front().name == "PUBLISH") {
      if (faults_.last_words) {
        last_words_.push_back(std::move(socket_.front()));
      } else {
        static_cast<void>(publish(socket_.front()));
      }
    }
    socket_.pop_front();
  }
  socket_.clear();
}

void FaultyRedis::append(std::span<const std::string_view> parts) {
  truth_.require(state_ == LinkState::open, "commands are written to an open connection");
  if (random_.chance(faults_.no_memory)) throw std::bad_alloc{};
  Command& command = unsent_.emplace_back();
  command.name = parts[0];
  if (command.name == "PUBLISH") {
    truth_.require(has_room(), "nothing is published when there is no room");
    command.channel = parts[1];
    command.message = parts[2];
    written_at_.push_back(now_);
  }
  for (const std::string_view part : parts) command.bytes += part.size() + 8;
  unsent_bytes_ += command.bytes;
}

std::size_t FaultyRedis::flush() {
  if (state_ != LinkState::open) return 0;
  std::size_t taken = unsent_bytes_;
  if (taken > 0 && random_.chance(faults_.part)) taken = random_.below(taken + 1);
  const std::size_t flushed = taken;
  unsent_bytes_ -= taken;
  while (taken > 0) {
    Command& command = unsent_.front();
    const std::size_t bytes = std::min(command.bytes, taken);
    command.bytes -= bytes;
    taken -= bytes;
    if (command.bytes > 0) break;
    socket_.push_back(std::move(command));
    unsent_.pop_front();
  }
  return flushed;
}

std::size_t FaultyRedis::poll_replies(std::span<Reply> out) {
  std::size_t most = std::min(out.size(), answers_.size());
  if (most > 0 && random_.chance(faults_.late)) most = random_.below(most + 1);
  for (std::size_t i = 0; i < most; ++i) {
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    replied_at_ = now_;
    if (answer.to_publish) written_at_.pop_front();
    const bool garbage = answer.garbage;
    if (!garbage && answer.told.events > 0) {
      if (answer.reply.kind == ReplyKind::integer) {
        answered_.done += answer.told.events;
        answered_.missed_told += answer.told.missed;
      } else {
        const bool refused = answer.reply.text.starts_with("NOPERM");
        (refused ? answered_.refused : answered_.error) += answer.told.events;
      }
    }
    out[i] = std::move(answer.reply);
    if (garbage) return i + 1;  // What follows is not looked at.
  }
  return most;
}

}  // namespace dualstream::simulation
