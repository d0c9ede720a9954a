#include "redis_client.h"

#include <poll.h>

#include <utility>

#include "redis/hiredis_connection.h"

namespace dualstream::command {

using std::chrono::milliseconds;

std::string_view text_of(const redisReply& reply) noexcept {
  return reply.str == nullptr ? std::string_view{} : std::string_view{reply.str, reply.len};
}

RedisClient::RedisClient(redis::RedisAddress address, milliseconds timeout)
    : address_(std::move(address)),
      timeout_(timeout),
      connection_(redis::make_hiredis_connection(address_)) {}

std::string RedisClient::connect() {
  reader_.reset(::redisReaderCreate());
  if (!reader_) return "out of memory";
  connection_->connect();
  const TimePoint deadline = std::chrono::steady_clock::now() + timeout_;
  while (connection_->state() == redis::LinkState::connecting) {
    if (!wait(deadline)) {
      close();
      return "no connection in time";
    }
  }
  if (connection_->state() == redis::LinkState::closed) return failure();
  if (address_.password.empty()) return {};
  std::vector<std::string> words{"AUTH"};
  if (!address_.username.empty()) words.push_back(address_.username);
  words.push_back(address_.password);
  return wrong_with(ask(words));
}

void RedisClient::close() noexcept { connection_->close(); }

Reply RedisClient::ask(const std::vector<std::string>& words) {
  connection_->append(std::vector<std::string_view>{words.begin(), words.end()});
  return next();
}

Reply RedisClient::next() {
  const TimePoint deadline = std::chrono::steady_clock::now() + timeout_;
  Reply reply;
  while (true) {
    connection_->flush();
    if (!next_read(reply)) return nullptr;
    if (reply) return reply;
    if (!wait(deadline) || !read()) return nullptr;
  }
}

std::string RedisClient::wrong_with(const Reply& reply) const {
  if (!reply) return failure().empty() ? "no answer" : failure();
  return reply->type == REDIS_REPLY_ERROR ? std::string{text_of(*reply)} : std::string{};
}

bool RedisClient::read() {
  std::string bytes;
  if (!connection_->receive_into(bytes)) return connection_->state() == redis::LinkState::open;
  return ::redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) == REDIS_OK;
}

bool RedisClient::next_read(Reply& reply) {
  void* raw = nullptr;
  if (::redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) return false;
  reply.reset(static_cast<redisReply*>(raw));
  return true;
}

bool RedisClient::wait(TimePoint deadline) const {
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd ready{.fd = connection_->fd(), .events = POLLIN, .revents = 0};
  if (connection_->wants_write()) ready.events |= POLLOUT;
  return left > milliseconds{0} && ::poll(&ready, 1, static_cast<int>(left.count())) != 0;
}

}  // namespace dualstream::command
