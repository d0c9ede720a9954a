// Does a Redis that is not there, or that hangs, slow Kafka or publish() down? The same load in
// turns with a Redis that is well, that is absent, and that is frozen.
//
// KAFKA_BROKERS and REDIS_ADDRESS say where the servers are (tools/bench sets them). redis-server
// has to be on this machine and nobody else's: it is stopped by a signal. The figures:
//
//   items_per_second               acknowledged events per second of wall time
//   publish_p50_ns publish_p99_ns  how long a call of publish() took, where the load is paced
//   notified                       share of the notifications that Redis has answered by then
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "dualstream/engine.h"
#include "environment.h"
#include "measure.h"
#include "pace.h"
#include "raw_kafka.h"
#include "redis_info.h"
#include "workload.h"

namespace dualstream::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

enum Redis : std::int64_t { well, absent, frozen };

constexpr std::size_t kPacedSeconds = 4;
constexpr std::size_t kFullSpeedEvents = 1'000'000;

// An address that refuses connections for as long as this object lives.
class ClosedPort {
 public:
  ClosedPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      port_ = ntohs(address.sin_port);
    }
  }
  ~ClosedPort() { ::close(socket_); }
  ClosedPort(const ClosedPort&) = delete;
  ClosedPort& operator=(const ClosedPort&) = delete;

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  const int socket_;
  int port_ = 0;
};

class FrozenProcess {
 public:
  explicit FrozenProcess(pid_t process) : process_(process) { ::kill(process_, SIGSTOP); }
  ~FrozenProcess() { ::kill(process_, SIGCONT); }
  FrozenProcess(const FrozenProcess&) = delete;
  FrozenProcess& operator=(const FrozenProcess&) = delete;

 private:
  const pid_t process_;
};

void wait_until_none(const Engine& engine, Counter pending) {
  while (engine.stats()[pending] > 0) std::this_thread::sleep_for(milliseconds{1});
}

// Publishes `workload`, at `rate` events a second or, with 0, as fast as there is room, and waits
// until Kafka has acknowledged all of it.
void measure_outage(benchmark::State& state, const Workload& workload, double rate) {
  const auto redis = static_cast<Redis>(state.range(0));
  const ClosedPort closed;
  Options options;
  options.kafka.brokers = environment("KAFKA_BROKERS");
  options.kafka.topic = "bench";
  options.kafka.required_at_open = true;
  options.redis.address = redis == absent ? closed.address() : environment("REDIS_ADDRESS");
  // So that a hung connection is given up, and tried again, while it is measured.
  options.redis.reply_timeout = seconds{1};
  options.on_log = [](const LogLine&) {};  // That Redis is away is what is meant to be.
  // It answers when it has done with what the last case left.
  const pid_t process = redis_process_id(environment("REDIS_ADDRESS"));
  std::unique_ptr<Engine> engine;
  if (const Status status = Engine::open(options, engine); !status.ok()) {
    state.SkipWithError(status.message.c_str());
    return;
  }
  Publisher publisher = engine->publisher();
  const Workload first{1'000};
  for (std::size_t i = 0; i < first.size(); ++i)
    static_cast<void>(publisher.publish(first.event(i)));
  wait_until_none(*engine, Counter::pending);
  if (redis != absent) wait_until_none(*engine, Counter::pending_notifications);
  const Stats before = engine->stats();

  std::optional<FrozenProcess> hung;
  if (redis == frozen) hung.emplace(process);
  std::vector<double> took;
  took.reserve(rate > 0 ? workload.size() : 0);
  for (auto _ : state) {
    const auto start = Clock::now();
    if (rate > 0) {
      const Pace pace{rate};
      for (std::size_t i = 0; i < workload.size();) {
        const std::size_t due = std::min(workload.size(), pace.due_events());
        for (; i < due; ++i) {
          const auto from = Clock::now();
          static_cast<void>(publisher.publish(workload.event(i)));
          took.push_back(std::chrono::duration<double, std::nano>(Clock::now() - from).count());
        }
        std::this_thread::sleep_for(milliseconds{1});
      }
    } else {
      for (std::size_t i = 0; i < workload.size(); ++i)
        static_cast<void>(publisher.publish(workload.event(i), seconds{60}));
    }
    wait_until_none(*engine, Counter::pending);
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - start).count());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(workload.size()) * state.iterations());
  const Stats after = engine->stats();
  if (after[Counter::delivered] - before[Counter::delivered] != workload.size())
    state.SkipWithError("not every event was acknowledged");
  if (rate > 0) {
    state.counters["publish_p50_ns"] = quantile(took, 0.5);
    state.counters["publish_p99_ns"] = quantile(took, 0.99);
  }
  state.counters["notified"] =
      static_cast<double>(after[Counter::notified] - before[Counter::notified]) /
      static_cast<double>(after[Counter::announced] - before[Counter::announced]);
  static_cast<void>(engine->stop(milliseconds{redis == well ? 10'000 : 0}));
}

// Arguments: how Redis is, events a second.
void BM_Paced(benchmark::State& state) {
  const auto rate = static_cast<std::size_t>(state.range(1));
  measure_outage(state, Workload{events_of(kPacedSeconds * rate)}, static_cast<double>(rate));
}

void BM_FullSpeed(benchmark::State& state) {
  static const Workload workload{events_of(kFullSpeedEvents)};
  measure_outage(state, workload, 0);
}

BENCHMARK(BM_Paced)
    ->ArgsProduct({{well, absent, frozen}, {10'000, 100'000}})
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_FullSpeed)
    ->Arg(well)
    ->Arg(absent)
    ->Arg(frozen)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dualstream::bench

int main(int argc, char** argv) {
  using namespace dualstream::bench;  // tidy: allow(using_namespace) main() stands outside of it
  return run(argc, argv, {"KAFKA_BROKERS", "REDIS_ADDRESS"}, [] {
    make_topic(environment("KAFKA_BROKERS"), "bench", 4);
    // The first run of a broker and of a page cache is slower than all others; nobody measures it.
    RawKafka{environment("KAFKA_BROKERS"), "bench", 1}.publish(
        Workload{events_of(kFullSpeedEvents)});
  });
}
