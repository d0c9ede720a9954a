#include "redis_info.h"

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <hiredis.h>

namespace dualstream::bench {
namespace {

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};

std::string info(const std::string& address, const char* section) {
  const std::size_t colon = address.rfind(':');
  const std::unique_ptr<redisContext, FreeContext> context{
      redisConnect(address.substr(0, colon).c_str(), std::atoi(address.c_str() + colon + 1))};
  if (context == nullptr || context->err != 0) throw std::runtime_error{"no redis at " + address};
  const std::unique_ptr<redisReply, FreeReply> reply{
      static_cast<redisReply*>(redisCommand(context.get(), "INFO %s", section))};
  if (reply == nullptr || reply->str == nullptr) throw std::runtime_error{context->errstr};
  return {reply->str, reply->len};
}

double field(const std::string& text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string::npos) throw std::runtime_error{"INFO has no " + std::string{name}};
  return std::atof(text.c_str() + at + name.size());
}

}  // namespace

double redis_cpu_seconds(const std::string& address) {
  const std::string text = info(address, "cpu");
  return field(text, "used_cpu_sys:") + field(text, "used_cpu_user:");
}

pid_t redis_process_id(const std::string& address) {
  return static_cast<pid_t>(field(info(address, "server"), "process_id:"));
}

}  // namespace dualstream::bench
