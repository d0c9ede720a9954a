// An ingester that gives no event up: NDJSON from stdin, back-pressure passed on to whoever writes
// it, and what fails tried again or kept. docs/examples.md shows its main part.
//
//   KAFKA_BROKERS=localhost:9092 KAFKA_TOPIC=events outcomes FAILED_FILE <events.ndjson
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// [docs
#include <dualstream/engine.h>

using dualstream::Engine, dualstream::Failure, dualstream::Outcome, dualstream::OutcomeKind,
    dualstream::PublishResult;
using std::chrono::seconds;

namespace {

// What failed, as it was read. on_outcomes fills it on the engine's thread.
class Failed {
 public:
  void take(std::span<const Outcome> outcomes) {
    const std::lock_guard lock{mutex_};
    for (const Outcome& outcome : outcomes) {
      if (outcome.kind != OutcomeKind::failed) continue;
      // Kafka was away for longer than kafka.delivery_timeout, or we stopped: another time it may
      // go. Everything else, a missing right or a size, has to be mended by somebody first.
      const bool again =
          outcome.failure == Failure::timed_out || outcome.failure == Failure::stopped;
      (again ? again_ : kept_).emplace_back(outcome.event.payload);
    }
  }
  std::vector<std::string> take_again() {
    const std::lock_guard lock{mutex_};
    return std::exchange(again_, {});
  }
  // Nobody reports any more.
  bool save(const char* path) const {
    std::ofstream file{path, std::ios::app};
    for (const auto* lines : {&kept_, &again_}) {
      for (const std::string& line : *lines) file << line << '\n';
    }
    file.close();
    return file.good();
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> again_;
  std::vector<std::string> kept_;
};

void publish(dualstream::Publisher& publisher, std::string_view line) {
  // Waits while the queue is full, so that the reader of the input waits too.
  PublishResult result = PublishResult::full;
  while (result == PublishResult::full) result = publisher.publish_json(line, 0, seconds{10});
  if (result == PublishResult::accepted) return;
  std::cerr << "refused: " << publisher.refusal_reason() << '\n';  // Only this line is lost.
}

int ingest(dualstream::Options options, const char* failed_path) {
  Failed failed;
  options.on_outcomes = [&failed](std::span<const Outcome> outcomes) { failed.take(outcomes); };
  std::unique_ptr<Engine> engine;
  if (const dualstream::Status status = Engine::open(options, engine); !status.ok()) {
    std::cerr << status.message << '\n';
    return EXIT_FAILURE;
  }
  dualstream::Publisher publisher = engine->publisher();
  for (std::string line; std::getline(std::cin, line);) {
    publish(publisher, line);
    // They come later than they should: where order matters more than the wait, stop instead.
    for (const std::string& again : failed.take_again()) publish(publisher, again);
  }
  static_cast<void>(engine->stop(seconds{10}));  // What it could not deliver comes as an outcome.
  if (failed.save(failed_path)) return EXIT_SUCCESS;
  std::cerr << "cannot write " << failed_path << '\n';
  return EXIT_FAILURE;
}

}  // namespace
// docs]

int main(int argc, char** argv) {
  const char* brokers = std::getenv("KAFKA_BROKERS");
  const char* topic = std::getenv("KAFKA_TOPIC");
  if (argc != 2 || brokers == nullptr || topic == nullptr) {
    std::fputs("usage: KAFKA_BROKERS=… KAFKA_TOPIC=… outcomes FAILED_FILE <events.ndjson\n",
               stderr);
    return 2;
  }
  dualstream::Options options;
  options.kafka.brokers = brokers;
  options.kafka.topic = topic;
  return ingest(std::move(options), argv[1]);
}
