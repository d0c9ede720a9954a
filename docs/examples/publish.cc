// The smallest ingester: publishes one event and learns what became of it. The README shows its
// main part.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

// [docs
#include <dualstream/engine.h>

using dualstream::Engine, dualstream::Outcome, dualstream::OutcomeKind, dualstream::PublishResult;

int main() {
  dualstream::Options options;
  options.kafka.brokers = "localhost:9092";
  options.kafka.topic = "events";
  options.redis.address = "localhost:6379";  // Leave it out, and the engine is a Kafka publisher.
  options.on_outcomes = [](std::span<const Outcome> outcomes) {
    for (const Outcome& outcome : outcomes) {
      if (outcome.kind == OutcomeKind::failed) {
        // The whole event comes back, so that it can be saved: outcome.event.
        std::fprintf(stderr, "failed: %s\n", std::string{outcome.detail}.c_str());
      }
    }
  };

  std::unique_ptr<Engine> engine;
  if (const dualstream::Status status = Engine::open(options, engine); !status.ok()) {
    std::fprintf(stderr, "%s\n",
                 status.message.c_str());  // Names the thing, the reason, the next step.
    return EXIT_FAILURE;
  }
  dualstream::Publisher publisher = engine->publisher();  // One per thread.
  const PublishResult result = publisher.publish({.id = "2489651057",
                                                  .type = "PushEvent",
                                                  .source_type = "repo",
                                                  .source_id = "owner/repo",
                                                  .payload = R"({"ref":"main"})"});
  if (result !=
      PublishResult::accepted) {  // `full` means: try again later, or wait with a timeout.
    std::fprintf(stderr, "refused: %s\n", std::string{publisher.refusal_reason()}.c_str());
  }
  return engine->stop(std::chrono::seconds{10}).ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
// docs]
