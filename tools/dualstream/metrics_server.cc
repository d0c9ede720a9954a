#include "metrics_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "dualstream/metrics.h"
#include "thread.h"

namespace dualstream::command {
namespace {

using std::chrono::seconds;

// What may be asked is short, and an answer to it is all that a connection is for.
constexpr std::size_t kBodyBytesMax = 1024;

Status address_error(std::string_view text, std::string_view rule) {
  return Status::error(
      StatusCode::invalid_options,
      std::string{"metrics = `"}.append(text).append("`: ").append(rule).append(
          "; give HOST:PORT, such as 127.0.0.1:9464, with port 0 for one that is free"));
}

// Answers in a fixed number of threads. While all are busy the accepting thread waits, so that what
// is accepted is bounded, too.
class Answerers final : public httplib::TaskQueue {
 public:
  explicit Answerers(std::size_t threads) : threads_(threads) {
    for (Thread& thread : threads_) {
      // Where the system refuses some, the others do the work.
      if (thread.start("ds-metrics", [this] { answer(); }).ok()) started_ += 1;
    }
  }

  void enqueue(std::function<void()> task) override {
    if (started_ == 0) {
      task();
      return;
    }
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return idle_ > tasks_.size() || ending_; });
    tasks_.push_back(std::move(task));
    changed_.notify_all();
  }

  void shutdown() override {
    {
      const std::lock_guard lock{mutex_};
      ending_ = true;
    }
    changed_.notify_all();
    for (Thread& thread : threads_) thread.join();
  }

 private:
  void answer() {
    std::unique_lock lock{mutex_};
    for (;;) {
      idle_ += 1;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !tasks_.empty() || ending_; });
      idle_ -= 1;
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::list<std::function<void()>> tasks_;
  std::size_t idle_ = 0;
  bool ending_ = false;

  std::size_t started_ = 0;
  std::vector<Thread> threads_;
};

}  // namespace

Status parse_http_address(std::string_view text, HttpAddress& address) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return address_error(text, "there is no port in it");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return address_error(text, "an IPv6 address stands in brackets");
  }
  if (host.empty()) return address_error(text, "there is no host in it");
  const std::string_view digits = text.substr(colon + 1);
  int port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size() || port < 0 ||
      port > 65'535) {
    return address_error(text, "the port has to be a number from 0 to 65535");
  }
  address = {.host = std::string{host}, .port = port};
  return {};
}

// The part that may outlive the MetricsServer, when somebody who is being answered is slow.
class MetricsServer::Listener {
 public:
  explicit Listener(const StopRequest& stop) : stop_(&stop) {
    http_.new_task_queue = [this] {
      say([this] { ready_ = true; });  // It is called once it listens: from here it can be stopped.
      // tidy: allow(naked_new) httplib deletes it
      return new Answerers{kConnections};
    };
    http_.set_keep_alive_max_count(1);
    http_.set_read_timeout(kPatience);
    http_.set_write_timeout(kPatience);
    http_.set_payload_max_length(kBodyBytesMax);
    // By default two programs may share a port, and neither would know.
    http_.set_socket_options([](int socket) {
      const int on = 1;
      // Without it a port is not free again for a minute; then bind says so.
      static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    });
    http_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      answer_metrics(response);
    });
    http_.Get("/healthz", [this](const httplib::Request&, httplib::Response& response) {
      answer_health(response);
    });
  }

  // The port, or nothing, and errno says why.
  [[nodiscard]] std::optional<int> bind(const HttpAddress& address) {
    errno = 0;
    if (address.port == 0) {
      const int port = http_.bind_to_any_port(address.host);
      return port > 0 ? std::optional{port} : std::nullopt;
    }
    return http_.bind_to_port(address.host, address.port) ? std::optional{address.port}
                                                          : std::nullopt;
  }

  void listen() {
    http_.listen_after_bind();
    say([this] { ended_ = true; });
  }

  void wait_until_ready() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return ready_ || ended_; });
  }

  void tell_of(const Engine& engine) {
    const std::lock_guard lock{mutex_};
    engine_ = &engine;
    told_ = true;
  }

  void forget() noexcept {
    const std::lock_guard lock{mutex_};
    engine_ = nullptr;
  }

  void end() {
    http_.stop();
    std::unique_lock lock{mutex_};
    engine_ = nullptr;
    stop_ = nullptr;
    changed_.wait_for(lock, kFarewell, [this] { return ended_; });
  }

 private:
  template <typename Change>
  void say(const Change& change) {
    const std::lock_guard lock{mutex_};
    change();
    changed_.notify_all();
  }

  // What there is to tell; empty while there is no engine.
  struct Snapshot {
    std::optional<Stats> stats;
    Health health;
    bool stopping = false;
  };

  [[nodiscard]] Snapshot look() {
    const std::lock_guard lock{mutex_};
    Snapshot snapshot;
    snapshot.stopping = stop_ == nullptr || stop_->requested() || (told_ && engine_ == nullptr);
    if (engine_ == nullptr) return snapshot;
    snapshot.stats = engine_->stats();
    snapshot.health = engine_->health();
    snapshot.health.stopping = snapshot.health.stopping || snapshot.stopping;
    return snapshot;
  }

  static std::string without_engine(const Snapshot& snapshot) {
    return snapshot.stopping ? "stopping\n" : "starting\n";
  }

  void answer_metrics(httplib::Response& response) {
    const Snapshot snapshot = look();
    if (!snapshot.stats) {
      response.status = 503;
      response.set_content(without_engine(snapshot), "text/plain");
      return;
    }
    response.set_content(prometheus_text(*snapshot.stats, snapshot.health),
                         std::string{kPrometheusContentType});
  }

  void answer_health(httplib::Response& response) {
    const Snapshot snapshot = look();
    response.status = snapshot.stats && snapshot.health.ok() ? 200 : 503;
    response.set_content(snapshot.stats ? snapshot.health.text() + "\n" : without_engine(snapshot),
                         "text/plain");
  }

  httplib::Server http_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  const StopRequest* stop_;
  const Engine* engine_ = nullptr;
  bool told_ = false;
  bool ready_ = false;
  bool ended_ = false;
};

Status MetricsServer::start(const HttpAddress& address, const StopRequest& stop,
                            std::unique_ptr<MetricsServer>& server) {
  const bool v6 = address.host.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + address.host + "]" : address.host;
  auto listener = std::make_shared<Listener>(stop);
  const std::optional<int> port = listener->bind(address);
  if (!port) {
    const std::string why =
        errno != 0 ? std::generic_category().message(errno) : "no such host here";
    return Status::error(StatusCode::invalid_options,
                         "metrics: cannot listen on " + host + ":" + std::to_string(address.port) +
                             ": " + why +
                             "; choose another address, or port 0 for one that is free");
  }
  const std::string url = "http://" + host + ":" + std::to_string(*port);
  Thread thread;
  // The thread holds the listener, so that a slow reader of an answer delays nobody's end.
  if (Status status = thread.start("ds-metrics", [listener] { listener->listen(); });
      !status.ok()) {
    return status;
  }
  thread.leave();
  listener->wait_until_ready();
  // tidy: allow(naked_new) the constructor is private
  server.reset(new MetricsServer{std::move(listener), url});
  return {};
}

MetricsServer::~MetricsServer() { listener_->end(); }

void MetricsServer::tell_of(const Engine& engine) { listener_->tell_of(engine); }

void MetricsServer::forget() noexcept { listener_->forget(); }

}  // namespace dualstream::command
