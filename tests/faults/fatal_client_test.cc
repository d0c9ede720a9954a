// K15: the client dies of a fatal error every two seconds. It is replaced each time; nothing is
// lost or reordered, and what stands twice was in flight then.
//
// The worker is stepped here, between a real queue and a real client, so that the test can reach
// the client.
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/parker.h"
#include "event/event_queue.h"
#include "kafka/kafka_worker.h"
#include "kafka/librdkafka_producer.h"
#include "support/fault_run.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"
#include "support/verifying_events.h"

namespace dualstream::kafka {
namespace {

using std::chrono::seconds;

TEST(FatalClientFaultTest, K15_AClientThatDiesAgainAndAgainIsReplaced) {
  const testing::SharedServers servers;
  const std::string topic = testing::unique_name("fatal-client");
  testing::create_topic(servers.brokers(), topic, {.partitions = 4});
  KafkaOptions options;
  options.brokers = servers.brokers();
  options.topic = topic;
  const testing::VerifyingEvents events{{.seed = testing::fault_seed()}};
  testing::EventsChecker checker{events};

  base::Parker parker;
  base::Counters counters;
  base::Log log{[](const LogLine&) {}};
  event::EventQueue queue{{.events_max = 5'000}, parker};
  event::EventQueue::Producer publisher{queue};
  std::unique_ptr<KafkaProducer> producer;
  ASSERT_TRUE(make_librdkafka_producer(options, parker, producer).ok());
  ASSERT_TRUE(producer->connect(seconds{10}).ok());
  KafkaProducer& client = *producer;
  KafkaWorker worker{{.on_outcomes =
                          [&](std::span<const Outcome> outcomes) {
                            for (const Outcome& outcome : outcomes) checker.expect(outcome);
                          }},
                     std::move(producer),
                     queue,
                     nullptr,
                     counters,
                     log};

  constexpr std::size_t kSources = 50;
  const std::size_t deaths = testing::fault_scale() > 1 ? 30 : 3;
  std::uint64_t accepted = 0;
  std::size_t in_flight = 0;
  base::TimePoint dies_at = base::Clock::now() + seconds{1};
  for (std::size_t death = 0; death < deaths;) {
    const base::TimePoint now = base::Clock::now();
    for (int i = 0; i < 20; ++i) {
      const auto made = events.make(accepted % kSources, accepted / kSources);
      event::EventPtr event = event::make_event(made.view());
      if (queue.admit(event->block_bytes()) != event::EventQueue::Admission::admitted) break;
      ASSERT_TRUE(queue.push(publisher, event));
      accepted += 1;
    }
    if (now >= dies_at) {
      in_flight += queue.pending_events();
      raise_fatal_error(client, "raised by the test");
      dies_at = now + seconds{2};
      death += 1;
    }
    if (worker.do_work(now) == 0) parker.nap(now, worker.wake_up());
  }
  queue.close();
  worker.stop_by(base::Clock::now() + seconds{60});
  while (!worker.finished()) {
    const base::TimePoint now = base::Clock::now();
    if (worker.do_work(now) == 0) parker.nap(now, worker.wake_up());
  }

  EXPECT_EQ(counters.get(Counter::delivered), accepted);
  EXPECT_GE(counters.get(Counter::producer_rebuilds), deaths - 1) << "the last one may be too late";
  const auto report = checker.check(testing::read_topic(servers.brokers(), topic));
  EXPECT_TRUE(report.ok_but_for_duplicates()) << report.text;
  EXPECT_LE(report.duplicates, in_flight);
  std::cout << accepted << " events, " << counters.get(Counter::producer_rebuilds)
            << " clients replaced, " << report.duplicates << " twice of at most " << in_flight
            << " in flight\n";
}

}  // namespace
}  // namespace dualstream::kafka
