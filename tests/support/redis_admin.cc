#include "support/redis_admin.h"

#include <sys/time.h>

#include <sstream>
#include <stdexcept>

#include <hiredis/hiredis.h>

namespace dualstream::testing {
namespace {

constexpr timeval kTimeout{.tv_sec = 5, .tv_usec = 0};

void append(redisContext* context, const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  redisAppendCommandArgv(context, static_cast<int>(texts.size()), texts.data(), sizes.data());
}

std::string text_of(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER) return std::to_string(reply.integer);
  if (reply.type != REDIS_REPLY_ARRAY) return {reply.str, reply.len};
  std::string text;
  for (std::size_t i = 0; i < reply.elements; ++i) text += text_of(*reply.element[i]) + '\n';
  return text;
}

}  // namespace

void RedisAdmin::Free::operator()(redisContext* context) const noexcept { redisFree(context); }

RedisAdmin::RedisAdmin(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  context_.reset(redisConnectWithTimeout(address.substr(0, colon).c_str(),
                                         std::stoi(address.substr(colon + 1)), kTimeout));
  if (!context_ || context_->err != 0) {
    throw std::runtime_error{"cannot connect to Redis at " + address};
  }
  redisSetTimeout(context_.get(), kTimeout);
}

std::string RedisAdmin::command(std::string_view words) {
  std::istringstream stream{std::string{words}};
  std::vector<std::string> split;
  for (std::string word; stream >> word;) split.push_back(word);
  std::string reply = reply_to(split);
  if (reply.starts_with("(error) ")) {
    throw std::runtime_error{std::string{words} + ": " + reply};
  }
  return reply;
}

std::string RedisAdmin::reply_to(const std::vector<std::string>& words) {
  append(context_.get(), words);
  void* raw = nullptr;
  if (redisGetReply(context_.get(), &raw) != REDIS_OK) {
    throw std::runtime_error{words.front() + ": " + context_->errstr};
  }
  auto* reply = static_cast<redisReply*>(raw);
  std::string text = text_of(*reply);
  if (reply->type == REDIS_REPLY_ERROR) text.insert(0, "(error) ");
  freeReplyObject(reply);
  return text;
}

void RedisAdmin::start(const std::vector<std::string>& words) {
  append(context_.get(), words);
  int done = 0;
  while (done == 0) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) {
      throw std::runtime_error{words.front() + ": " + context_->errstr};
    }
  }
}

std::uint64_t RedisAdmin::info(std::string_view name) {
  const std::string text = command("INFO");
  const std::string start = '\n' + std::string{name} + ':';
  const std::size_t at = text.find(start);
  if (at == std::string::npos) throw std::runtime_error{"INFO has no " + std::string{name}};
  return std::stoull(text.substr(at + start.size()));
}

}  // namespace dualstream::testing
