#include "support/redis_subscriber.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <hiredis/hiredis.h>

namespace dualstream::testing {
namespace {

constexpr timeval kTimeout{.tv_sec = 5, .tv_usec = 0};

struct FreeReply {
  void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

std::string_view text(const redisReply* reply) { return {reply->str, reply->len}; }

// "message" channel text, or "pmessage" pattern channel text; the rest confirms or refuses.
bool is_message(const redisReply* reply) {
  return reply->type == REDIS_REPLY_ARRAY && reply->elements >= 3 &&
         text(reply->element[0]).ends_with("message");
}

}  // namespace

// The socket, and a descriptor that ends the wait for it.
class RedisSubscriber::Connection {
 public:
  explicit Connection(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos) {
      throw std::runtime_error{"'" + address + "' is not host:port"};
    }
    context_ = redisConnectWithTimeout(address.substr(0, colon).c_str(),
                                       std::stoi(address.substr(colon + 1)), kTimeout);
    if (context_ == nullptr || context_->err != 0) {
      const std::string why = context_ == nullptr ? "out of memory" : context_->errstr;
      redisFree(context_);
      throw std::runtime_error{"cannot connect to Redis at " + address + ": " + why};
    }
    redisSetTimeout(context_, kTimeout);
    wake_ = ::eventfd(0, EFD_CLOEXEC);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    redisFree(context_);
    ::close(wake_);
  }

  // Sends a command and waits for one reply to each of its arguments. Messages that come in between
  // are kept for next().
  void command(const std::string& name, const std::vector<std::string>& arguments) {
    if (arguments.empty()) {
      return;
    }
    std::vector<const char*> texts{name.c_str()};
    std::vector<std::size_t> sizes{name.size()};
    for (const std::string& argument : arguments) {
      texts.push_back(argument.data());
      sizes.push_back(argument.size());
    }
    redisAppendCommandArgv(context_, static_cast<int>(texts.size()), texts.data(), sizes.data());
    for (std::size_t confirmed = 0; confirmed < arguments.size();) {
      void* raw = nullptr;
      if (redisGetReply(context_, &raw) != REDIS_OK) {
        throw std::runtime_error{"Redis did not confirm " + name + ": " + context_->errstr};
      }
      Reply reply{static_cast<redisReply*>(raw)};
      if (reply->type == REDIS_REPLY_ERROR) {
        throw std::runtime_error{"Redis refused " + name + ": " + std::string{text(reply.get())}};
      }
      if (is_message(reply.get())) {
        early_.push_back(std::move(reply));
      } else {
        ++confirmed;
      }
    }
  }

  // Waits for the next bytes; false when woken or when the connection is lost.
  bool read() {
    pollfd descriptors[] = {{.fd = context_->fd, .events = POLLIN, .revents = 0},
                            {.fd = wake_, .events = POLLIN, .revents = 0}};
    ::poll(descriptors, 2, -1);
    return descriptors[1].revents == 0 && redisBufferRead(context_) == REDIS_OK;
  }

  // The next whole reply of what was read; null when there is none.
  Reply next() {
    if (!early_.empty()) {
      Reply reply = std::move(early_.front());
      early_.pop_front();
      return reply;
    }
    void* raw = nullptr;
    if (redisGetReplyFromReader(context_, &raw) != REDIS_OK) {
      return nullptr;
    }
    return Reply{static_cast<redisReply*>(raw)};
  }

  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t size = ::write(wake_, &one, sizeof one);
  }

 private:
  redisContext* context_ = nullptr;
  std::deque<Reply> early_;
  int wake_ = -1;
};

RedisSubscriber::RedisSubscriber(const std::string& address, const RedisSubscription& subscription)
    : connection_{std::make_unique<Connection>(address)} {
  if (!subscription.password.empty()) {
    connection_->command("AUTH", {subscription.password});
  }
  connection_->command("SUBSCRIBE", subscription.channels);
  connection_->command("PSUBSCRIBE", subscription.patterns);
  thread_ = std::thread{[this] { listen(); }};
}

RedisSubscriber::~RedisSubscriber() {
  connection_->wake();
  thread_.join();
}

void RedisSubscriber::listen() {
  do {
    std::vector<RedisMessage> arrived;
    while (const Reply reply = connection_->next()) {
      if (is_message(reply.get())) {
        const redisReply* const* parts = reply->element;
        const std::size_t last = reply->elements - 1;
        arrived.push_back({std::string{text(parts[last - 1])}, std::string{text(parts[last])}});
      }
    }
    if (!arrived.empty()) {
      const std::lock_guard lock{mutex_};
      for (RedisMessage& message : arrived) {
        messages_.push_back(std::move(message));
      }
      changed_.notify_all();
    }
  } while (connection_->read());
  const std::lock_guard lock{mutex_};
  connected_ = false;
  changed_.notify_all();
}

bool RedisSubscriber::wait_for(std::size_t count, std::chrono::milliseconds timeout) {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, timeout,
                    [this, count] { return messages_.size() >= count || !connected_; });
  return messages_.size() >= count;
}

std::vector<RedisMessage> RedisSubscriber::messages() const {
  const std::lock_guard lock{mutex_};
  return messages_;
}

std::size_t RedisSubscriber::count() const {
  const std::lock_guard lock{mutex_};
  return messages_.size();
}

bool RedisSubscriber::connected() const {
  const std::lock_guard lock{mutex_};
  return connected_;
}

}  // namespace dualstream::testing
