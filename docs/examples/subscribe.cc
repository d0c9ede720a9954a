// The smallest reader: the last ten events of a repository and all that follow, each with its
// payload. docs/subscriber.md shows its main part.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

// [docs
#include <dualstream/subscriber.h>

using dualstream::Subscriber, dualstream::Subscription, dualstream::Update, dualstream::UpdateKind;

namespace {
volatile std::sig_atomic_t stopped = 0;
}

int main() {
  std::signal(SIGINT, [](int) { stopped = 1; });
  dualstream::SubscriberOptions options;  // brokers, topic and channels as on the writing side.
  options.kafka.brokers = "localhost:9092";
  options.kafka.topic = "events";
  options.redis.address = "localhost:6379";

  std::unique_ptr<Subscriber> subscriber;  // One for the process.
  if (const auto status = Subscriber::open(options, subscriber); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.message.c_str());
    return EXIT_FAILURE;
  }
  std::unique_ptr<Subscription> subscription;  // One for each reader: a browser, say.
  const auto status = subscriber->subscribe(
      {.sources = {{"repo", "owner/repo"}}, .from = dualstream::From::last(10), .payload = true},
      subscription);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.message.c_str());
    return EXIT_FAILURE;
  }
  std::vector<Update> updates;
  while (stopped == 0) {
    subscription->receive(updates, std::chrono::milliseconds{500});
    for (const Update& update : updates) {
      if (update.kind == UpdateKind::gap) {
        // Kafka no longer has it: whatever was built from the events has to be built anew.
        std::printf("events may be missing\n");
      } else {
        std::printf("%s %s: %s\n", update.type.c_str(), update.id.c_str(), update.payload.c_str());
      }
    }
  }
  return EXIT_SUCCESS;
}
// docs]
