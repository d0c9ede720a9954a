// Engine publishes each event once and delivers it twice: durably to Kafka, then as a notification
// to Redis Pub/Sub.
#pragma once

#include <chrono>
#include <memory>

#include "dualstream/export.h"
#include "dualstream/health.h"
#include "dualstream/options.h"
#include "dualstream/publisher.h"
#include "dualstream/stats.h"
#include "dualstream/status.h"

namespace dualstream {

class EngineImpl;

// Thread:   every member may be called from any thread, but stop() not from a callback.
// Lifetime: outlives its Publishers.
// fork():   the engine stays the parent's. In the child publish() and stop() are refused, stats()
// is empty, and the
//           destructor touches no socket and frees nothing. Open another one there, best before any
//           thread starts.
class DUALSTREAM_EXPORT Engine {
 public:
  // Validates, connects and starts the workers. Takes at most kafka.open_timeout plus a second. On
  // failure `engine` is left empty and the Status says what to do. A Redis that cannot be reached
  // never fails it.
  [[nodiscard]] static Status open(Options options, std::unique_ptr<Engine>& engine);

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // stop(options.close_timeout), if stop() was not called.
  ~Engine();

  // A new Publisher, for one ingest thread. Throws std::bad_alloc without memory, and nothing else
  // here throws.
  [[nodiscard]] Publisher publisher();

  // Stops in two stages: no new events are taken and those accepted get their outcome; then what is
  // left of the notifications goes out. Returns by `deadline` from now with every outcome given:
  // what Kafka has not answered by then fails as `stopped`, and notifications left over are dropped
  // and counted. Ok if nothing was left. Idempotent: later calls wait for the first and return its
  // result.
  Status stop(std::chrono::milliseconds deadline);

  [[nodiscard]] Stats stats() const;

  // How Kafka and Redis are at this moment. May throw std::bad_alloc.
  [[nodiscard]] Health health() const;

 private:
  explicit Engine(std::unique_ptr<EngineImpl> impl) noexcept;

  std::unique_ptr<EngineImpl> impl_;
};

}  // namespace dualstream
