// MetricsServer answers over HTTP how the run is: /metrics for Prometheus, /healthz for whoever
// starts and stops programs.
//
//   GET /metrics   200, the engine's stats in Prometheus' text format
//   GET /healthz   200 "ok", or 503 and why: "starting", "stopping", "kafka: unreachable (...)"
//
// It has no share in the run: it only reads snapshots. At most kConnections are answered at a time,
// each for one request; more wait in the system's queue. One that is slow holds its place and
// nothing else.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "dualstream/engine.h"
#include "stop_request.h"

namespace dualstream::command {

// "HOST:PORT" or "[V6]:PORT"; port 0 lets the system choose one.
struct HttpAddress {
  std::string host;
  int port = 0;
};

// ok, or what is wrong with the text.
[[nodiscard]] Status parse_http_address(std::string_view text, HttpAddress& address);

// Thread:   tell_of(), forget() and the destructor on one thread.
// Lifetime: `stop` outlives it.
class MetricsServer {
 public:
  static constexpr std::size_t kConnections = 4;
  // A connection from which nothing comes, or which takes nothing, for so long is closed.
  static constexpr std::chrono::seconds kPatience{2};
  // How long the destructor waits for answers under way. What takes longer ends with the process.
  static constexpr std::chrono::seconds kFarewell{1};

  // Listens when it returns ok. `invalid_options` when the address cannot be had.
  [[nodiscard]] static Status start(const HttpAddress& address, const StopRequest& stop,
                                    std::unique_ptr<MetricsServer>& server);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  ~MetricsServer();

  // With the port that it really has: "http://127.0.0.1:9100".
  [[nodiscard]] const std::string& url() const noexcept { return url_; }

  // From here to forget() it tells of `engine`; before, it is starting, and after, stopping.
  void tell_of(const Engine& engine);
  void forget() noexcept;

 private:
  class Listener;

  MetricsServer(std::shared_ptr<Listener> listener, std::string url)
      : listener_(std::move(listener)), url_(std::move(url)) {}

  const std::shared_ptr<Listener> listener_;
  const std::string url_;
};

}  // namespace dualstream::command
