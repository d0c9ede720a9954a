#include "progress.h"

#include <algorithm>

#include "text.h"
#include "units.h"

namespace dualstream::command {

std::string progress_text(const ProgressSample& now, const ProgressSample& before,
                          std::chrono::duration<double> between) {
  std::string text;
  if (now.bytes_total > 0) {
    // A file may grow while it is read.
    text = std::to_string(std::min<std::uint64_t>(100, now.bytes * 100 / now.bytes_total)) + "%  ";
  }
  const double rate = between.count() > 0
                          ? static_cast<double>(now.delivered - before.delivered) / between.count()
                          : 0;
  text += concat({"lines ", grouped(now.lines), "  in Kafka ", grouped(now.delivered), " (",
                  grouped(static_cast<std::uint64_t>(rate)), "/s)  in flight ",
                  grouped(now.in_flight), "  bad ", grouped(now.bad)});
  if (now.notifications > 0) {
    text.append("  Redis lags by ").append(grouped(now.notifications));
  }
  return text;
}

Progress::~Progress() {
  {
    const std::lock_guard lock{mutex_};
    end_ = true;
  }
  ended_.notify_all();
  thread_.join();
  console_.clear_progress();
}

Status Progress::start(std::chrono::milliseconds interval) {
  return thread_.start("ds-progress", [this, interval] { run(interval); });
}

void Progress::run(std::chrono::milliseconds interval) {
  using Clock = std::chrono::steady_clock;
  ProgressSample before = sample_();
  Clock::time_point before_at = Clock::now();
  std::unique_lock lock{mutex_};
  while (!ended_.wait_for(lock, interval, [this] { return end_; })) {
    const ProgressSample now = sample_();
    const Clock::time_point now_at = Clock::now();
    console_.show_progress(progress_text(now, before, now_at - before_at));
    before = now;
    before_at = now_at;
  }
}

}  // namespace dualstream::command
