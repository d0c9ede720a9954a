#include "redis/pipeline.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/check.h"

namespace dualstream::redis {
namespace {

// AUTH, CLIENT SETNAME and PING need places too.
constexpr std::size_t kGreetingCommands = 3;

// How an error begins that says: not with these credentials, or not with you. The last two come
// unasked, in place of the first reply, before the server closes the connection.
constexpr std::array<std::string_view, 6> kRefusals = {
    "NOAUTH", "NOPERM", "WRONGPASS", "ERR AUTH", "DENIED", "ERR max number of clients",
};

bool is_refusal(std::string_view error) noexcept {
  return std::ranges::any_of(kRefusals,
                             [error](std::string_view start) { return error.starts_with(start); });
}

std::size_t window_size(std::size_t window_frames_max) noexcept {
  return std::max(window_frames_max, kGreetingCommands);
}

}  // namespace

Answer answer_of(Command command, const Reply& reply) noexcept {
  if (reply.kind == ReplyKind::error) {
    const bool refused = command == Command::auth || is_refusal(reply.text);
    return refused ? Answer::refused : Answer::error;
  }
  if (command == Command::publish) {
    const bool count = reply.kind == ReplyKind::integer && reply.integer >= 0;
    return count ? Answer::done : Answer::broken;
  }
  const std::string_view expected = command == Command::ping ? "PONG" : "OK";
  const bool fits = reply.kind == ReplyKind::status && reply.text == expected;
  return fits ? Answer::done : Answer::broken;
}

Pipeline::Pipeline(std::size_t window_frames_max) : window_(window_size(window_frames_max)) {}

base::TimePoint Pipeline::oldest_written_at() const noexcept {
  return empty() ? base::kNever : window_[first_].at;
}

void Pipeline::wrote(const Written& written) noexcept {
  CHECK(!window_full(), "nothing is written beyond the window");
  std::size_t at = first_ + size_;
  if (at >= window_.size()) at -= window_.size();
  window_[at] = written;
  size_ += 1;
  events_ += written.events;
}

std::optional<Answered> Pipeline::match(const Reply& reply) noexcept {
  if (empty()) return std::nullopt;
  const Written written = pop();
  return Answered{written, answer_of(written.command, reply)};
}

std::optional<Written> Pipeline::take_unanswered() noexcept {
  if (empty()) return std::nullopt;
  return pop();
}

Written Pipeline::pop() noexcept {
  const Written written = window_[first_];
  first_ = first_ + 1 < window_.size() ? first_ + 1 : 0;
  size_ -= 1;
  events_ -= written.events;
  return written;
}

std::uint64_t Pipeline::memory_bytes_max(std::size_t window_frames_max) noexcept {
  return window_size(window_frames_max) * sizeof(Written);
}

}  // namespace dualstream::redis
