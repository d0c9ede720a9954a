#include "thread.h"

#include <pthread.h>

#include <string>
#include <system_error>
#include <utility>

namespace dualstream::command {

Thread::~Thread() { join(); }

Status Thread::start(const char* name, std::function<void()> body) {
  try {
    thread_ = std::thread{std::move(body)};  // tidy: allow(thread) see thread.h
  } catch (const std::system_error& error) {
    return Status::error(StatusCode::exhausted, std::string{"the system refused a thread ("} +
                                                    error.what() +
                                                    "); raise the limit on processes (ulimit -u)");
  }
  pthread_setname_np(thread_.native_handle(), name);
  return {};
}

void Thread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace dualstream::command
