// SubscriptionImpl is what a Subscription and the worker share: the updates, the counts, and
// whether the reader is still there.
#pragma once

#include <atomic>
#include <mutex>

#include "base/parker.h"
#include "dualstream/subscriber.h"
#include "subscriber/selection.h"
#include "subscriber/update_queue.h"

namespace dualstream {

// Thread:   any.
// Lifetime: `worker` outlives it.
class SubscriptionImpl {
 public:
  SubscriptionImpl(SubscriptionOptions wanted, subscriber::Selection selected, base::Parker& worker)
      : options(std::move(wanted)),
        selection(std::move(selected)),
        queue({.updates_max = options.queue_updates_max, .bytes_max = options.queue_bytes_max},
              worker) {}

  void set_stats(const SubscriptionStats& stats) {
    const std::lock_guard lock{mutex_};
    stats_ = stats;
  }
  [[nodiscard]] SubscriptionStats stats() const {
    SubscriptionStats now;
    {
      const std::lock_guard lock{mutex_};
      now = stats_;
    }
    now.waiting = queue.size();
    return now;
  }

  const SubscriptionOptions options;
  const subscriber::Selection selection;
  subscriber::UpdateQueue queue;
  std::atomic<bool> gone{false};  // The reader has left.

 private:
  mutable std::mutex mutex_;
  SubscriptionStats stats_;  // Guarded by mutex_.
};

}  // namespace dualstream
