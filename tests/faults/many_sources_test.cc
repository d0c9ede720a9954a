// More sources than anybody remembers: each has its own channel and speaks once, so every event is
// a channel's first and a reader's first of that source.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "dualstream/engine.h"
#include "support/subscriber_test.h"

namespace dualstream::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kSources = 100'000;
#else
constexpr std::size_t kSources = 1'000'000;
#endif

void publish_one_event_each(Engine& engine, std::size_t sources) {
  Publisher publisher = engine.publisher();
  for (std::size_t i = 0; i < sources; ++i) {
    const std::string id = std::to_string(i);
    const std::string source_id = "owner/s" + id;
    ASSERT_EQ(publisher.publish({.id = id,
                                 .type = "PushEvent",
                                 .source_type = "repo",
                                 .source_id = source_id,
                                 .payload = id},
                                seconds{60}),
              PublishResult::accepted);
  }
}

// How often each offset of each partition came.
class OffsetsSeen {
 public:
  void take(const std::vector<Update>& updates) {
    for (const Update& update : updates) {
      if (update.kind != UpdateKind::event) {
        gaps_ += 1;
        continue;
      }
      std::vector<std::uint8_t>& partition = seen_[update.partition];
      const auto offset = static_cast<std::size_t>(update.offset);
      if (partition.size() <= offset) partition.resize(2 * offset + 1);
      repeats_ += partition[offset]++ > 0 ? 1 : 0;
      events_ += 1;
    }
  }
  [[nodiscard]] std::size_t events() const { return events_; }
  [[nodiscard]] std::size_t repeats() const { return repeats_; }
  [[nodiscard]] std::size_t gaps() const { return gaps_; }

 private:
  std::map<std::int32_t, std::vector<std::uint8_t>> seen_;
  std::size_t events_ = 0;
  std::size_t repeats_ = 0;
  std::size_t gaps_ = 0;
};

TEST(ManySourcesFaultTest, S8_AMillionSourcesOnAMillionChannelsAndNoEventIsMissed) {
  const SharedServers servers;
  const SubscriberSetup setup{servers.brokers(), servers.redis_address()};
  const auto subscriber = setup.open_subscriber();
  const auto all = SubscriberSetup::subscribe(*subscriber, {.channels = {setup.aggregate()}});
  const auto one = SubscriberSetup::subscribe(
      *subscriber, {.sources = {{"repo", SubscriberSetup::source(kSources - 1)}}});
  ASSERT_TRUE(SubscriberSetup::live_within(*all, seconds{10}));
  ASSERT_TRUE(SubscriberSetup::live_within(*one, seconds{10}));

  std::unique_ptr<Engine> engine;
  ASSERT_TRUE(Engine::open(setup.engine_options(), engine).ok());
  std::jthread publishing{[&engine] { publish_one_event_each(*engine, kSources); }};
  OffsetsSeen seen;
  std::vector<Update> updates;
  const auto deadline = std::chrono::steady_clock::now() + seconds{100};
  while (seen.events() < kSources && std::chrono::steady_clock::now() < deadline) {
    all->receive(updates, milliseconds{100});
    seen.take(updates);
  }
  publishing.join();
  EXPECT_TRUE(engine->stop(seconds{30}).ok());
  // What came twice would come now.
  all->receive(updates, milliseconds{500});
  seen.take(updates);
  EXPECT_EQ(seen.events(), kSources);
  EXPECT_EQ(seen.repeats(), 0U);
  EXPECT_EQ(seen.gaps(), 0U);

  const std::size_t of_one = one->receive(updates, seconds{10});
  EXPECT_EQ(of_one, 1U) << "the last one's channel is its own";
  const SubscriptionStats stats = all->stats();
  const Stats sent = engine->stats();
  std::cout << kSources << " sources: " << stats.live << " live, " << stats.history
            << " from Kafka, " << stats.gaps_healed << " gaps healed, " << sent[Counter::frames]
            << " PUBLISH\n";
}

}  // namespace
}  // namespace dualstream::testing
