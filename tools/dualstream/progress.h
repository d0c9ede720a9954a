// Progress says on stderr, now and then, how far the run is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "console.h"
#include "dualstream/status.h"
#include "thread.h"

namespace dualstream::command {

struct ProgressSample {
  std::uint64_t lines = 0;
  std::uint64_t bad = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_total = 0;  // 0 when it is not known.
  std::uint64_t delivered = 0;
  std::uint64_t in_flight = 0;      // Accepted events without an outcome.
  std::uint64_t notifications = 0;  // Held or not answered by Redis.
};

// "37%  lines 1,022  in Kafka 980 (2,490/s)  in flight 42  bad 0  Redis lags by 12".
[[nodiscard]] std::string progress_text(const ProgressSample& now, const ProgressSample& before,
                                        std::chrono::duration<double> between);

// Lifetime: the console outlives it, and all that `sample` uses.
class Progress {
 public:
  Progress(Console& console, std::function<ProgressSample()> sample)
      : console_(console), sample_(std::move(sample)) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  [[nodiscard]] Status start(std::chrono::milliseconds interval);

 private:
  void run(std::chrono::milliseconds interval);

  Console& console_;
  const std::function<ProgressSample()> sample_;

  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;  // Guarded by mutex_.

  Thread thread_;
};

}  // namespace dualstream::command
