// Thread is a joined thread that may not start. The one file of the command that starts threads.
#pragma once

#include <functional>
#include <thread>

#include "dualstream/status.h"

namespace dualstream::command {

// Lifetime: the destructor waits for the end of the body, but after leave().
class Thread {
 public:
  Thread() = default;
  Thread(Thread&&) noexcept = default;
  Thread& operator=(Thread&&) = delete;
  ~Thread();

  // `name`, up to 15 bytes, is what `top -H` shows. `body` must not throw.
  [[nodiscard]] Status start(const char* name, std::function<void()> body);

  void join();

  // The body goes on by itself, until the process ends at the latest.
  void leave() { thread_.detach(); }

 private:
  std::thread thread_;  // tidy: allow(thread) the command links only with the engine's public API
};

}  // namespace dualstream::command
