// Server-sent events for many browsers from one Subscriber: GET /events?source=owner/repo.
// docs/examples.md shows its main part.
//
//   KAFKA_BROKERS=localhost:9092 KAFKA_TOPIC=events REDIS_ADDRESS=localhost:6379 sse 8080
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

// [docs
#include <dualstream/subscriber.h>

using dualstream::From, dualstream::Subscriber, dualstream::Subscription, dualstream::Update,
    dualstream::UpdateKind;
using std::chrono::seconds;

namespace {

std::atomic<bool> stopped{false};  // By a signal, and read on the server's threads.

// "3:1201", the id of the last event that a browser has seen: it wants the one after it.
std::optional<From> after(const std::string& last_event_id) {
  std::istringstream text{last_event_id};
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  char colon = ' ';
  text >> partition >> colon >> offset;
  if (text.fail() || colon != ':' || partition < 0 || offset < 0) return std::nullopt;
  return From::offset({{partition, offset + 1}});
}

// A field of the stream; a line break in `value` begins it anew.
void put(std::string& out, std::string_view field, std::string_view value) {
  out.append(field).append(": ");
  for (const char c : value) {
    if (c == '\n' || c == '\r') {
      out.append("\n").append(field).append(": ");
    } else {
      out += c;
    }
  }
  out += '\n';
}

void put(std::string& out, const Update& update) {
  if (update.kind == UpdateKind::gap) {
    // Kafka no longer has what is missing here: the page has to be loaded anew.
    put(out, "event", "gap");
    put(out, "data", name(update.reason));
  } else {
    put(out, "id", std::to_string(update.partition) + ":" + std::to_string(update.offset));
    put(out, "data", update.payload);
  }
  out += '\n';
}

void serve(const httplib::Request& request, httplib::Response& response, Subscriber& subscriber) {
  const auto refuse = [&response](const std::string& reason) {
    response.status = 400;
    response.set_content(reason + "\n", "text/plain");
  };
  const std::string source = request.get_param_value("source");
  if (source.empty()) return refuse("say whose events you want: /events?source=owner/repo");
  // A browser that lost its connection says by itself where it was. It goes on from there, no
  // matter how long ago that was and whether it is this server that it comes back to.
  const std::optional<From> from = request.has_header("Last-Event-ID")
                                       ? after(request.get_header_value("Last-Event-ID"))
                                       : From::last(10);
  if (!from) return refuse("Last-Event-ID is not PARTITION:OFFSET");

  std::unique_ptr<Subscription> made;
  const dualstream::Status status =
      subscriber.subscribe({.sources = {{"repo", source}}, .from = *from, .payload = true}, made);
  if (!status.ok()) return refuse(status.message);
  const std::shared_ptr<Subscription> subscription = std::move(made);
  response.set_header("Cache-Control", "no-cache");
  response.set_chunked_content_provider(
      "text/event-stream", [subscription](std::size_t /*offset*/, httplib::DataSink& sink) {
        std::vector<Update> updates;
        std::string text;
        subscription->receive(updates, seconds{5});
        for (const Update& update : updates) put(text, update);
        if (text.empty()) text = ": still here\n\n";
        // A slow browser blocks here, and its Subscription reads from Kafka later what it missed.
        return !stopped && sink.write(text.data(), text.size());
      });
}

}  // namespace
// docs]

int main(int argc, char** argv) {
  const char* brokers = std::getenv("KAFKA_BROKERS");
  const char* topic = std::getenv("KAFKA_TOPIC");
  const char* redis = std::getenv("REDIS_ADDRESS");
  if (argc != 2 || brokers == nullptr || topic == nullptr || redis == nullptr) {
    std::fputs("usage: KAFKA_BROKERS=… KAFKA_TOPIC=… REDIS_ADDRESS=… sse PORT (0: any)\n", stderr);
    return 2;
  }
  dualstream::SubscriberOptions options;
  options.kafka.brokers = brokers;
  options.kafka.topic = topic;
  options.redis.address = redis;
  std::unique_ptr<Subscriber> subscriber;
  if (const dualstream::Status status = Subscriber::open(options, subscriber); !status.ok()) {
    std::fprintf(stderr, "%s\n", status.message.c_str());
    return EXIT_FAILURE;
  }
  std::signal(SIGINT, [](int) { stopped = true; });
  std::signal(SIGTERM, [](int) { stopped = true; });

  httplib::Server server;
  // httplib keeps a thread for each browser: fine for hundreds.
  constexpr std::size_t kBrowsersMax = 256;
  server.new_task_queue = [] { return new httplib::ThreadPool(kBrowsersMax); };
  server.Get("/events", [&subscriber](const httplib::Request& request, httplib::Response& answer) {
    serve(request, answer, *subscriber);
  });
  const int wanted = std::atoi(argv[1]);
  const int port = wanted != 0 ? wanted : server.bind_to_any_port("127.0.0.1");
  if (wanted != 0 && !server.bind_to_port("127.0.0.1", wanted)) {
    std::fprintf(stderr, "cannot listen on port %d\n", wanted);
    return EXIT_FAILURE;
  }
  std::fprintf(stderr, "listening at http://127.0.0.1:%d\n", port);
  std::thread serving{[&server] { server.listen_after_bind(); }};
  while (!stopped) std::this_thread::sleep_for(std::chrono::milliseconds{100});
  server.stop();
  serving.join();
  return EXIT_SUCCESS;
}
