// A fatal error of the client, in mid load and again and again: the client is replaced, nothing is
// lost, order is kept, and what stands twice has the same id.
#include <array>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "kafka/librdkafka_producer.h"
#include "support/events.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace dualstream::kafka {
namespace {

using std::chrono::seconds;

TEST(FatalErrorFlowTest, TheClientIsReplacedAndNothingIsLostOrReordered) {
  const testing::SharedServers servers;
  const std::string topic = testing::unique_name("fatal");
  testing::create_topic(servers.brokers(), topic, {.partitions = 1});
  KafkaOptions options;
  options.brokers = servers.brokers();
  options.topic = topic;
  base::Parker parker;
  std::unique_ptr<KafkaProducer> producer;
  ASSERT_TRUE(make_librdkafka_producer(options, parker, producer).ok());
  ASSERT_TRUE(producer->connect(seconds{10}).ok());

  constexpr std::uint64_t kBatches = 300;
  constexpr std::uint64_t kBatch = 100;
  std::vector<std::uint64_t> acknowledged;
  std::vector<Report> refused;
  std::size_t rebuilds = 0;
  std::size_t raised = 0;
  std::array<Report, 64> reports;
  const base::TimePoint deadline = base::Clock::now() + seconds{60};
  const auto take = [&] {
    const std::size_t count = producer->poll_reports(reports);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(reports[i].failure, Failure::none) << reports[i].detail;
      acknowledged.push_back(reports[i].event->tag());
      reports[i].event.reset();
    }
    Notice notice;
    while (producer->poll_notice(notice)) rebuilds += notice.kind == NoticeKind::rebuilt ? 1 : 0;
    return count;
  };
  for (std::uint64_t batch = 0; batch < kBatches; ++batch) {
    event::EventList events;
    for (std::uint64_t i = 0; i < kBatch; ++i) {
      events.push_back(
          testing::make_event("source", batch * kBatch + i, std::to_string(batch * kBatch + i)));
    }
    if (batch % 100 == 50) {
      // The one before is over: two at once would be one rebuild.
      while (rebuilds < raised && base::Clock::now() < deadline) take();
      raise_fatal_error(*producer, "raised by the test");
      raised += 1;
    }
    while (!events.empty() && base::Clock::now() < deadline) {
      producer->produce(0, events, refused);
      take();
    }
  }
  while (acknowledged.size() < kBatches * kBatch && base::Clock::now() < deadline) take();
  EXPECT_TRUE(refused.empty());
  EXPECT_GE(rebuilds, 3U);
  ASSERT_EQ(acknowledged.size(), kBatches * kBatch);
  for (std::uint64_t i = 0; i < acknowledged.size(); ++i)
    ASSERT_EQ(acknowledged[i], i) << "one report each, in order";
  std::vector<Report> last;
  producer->close(last);
  EXPECT_TRUE(last.empty());

  // In the log each is there; a repeat may go back, but never does one come before its predecessor
  // has been there.
  std::uint64_t next = 0;
  for (const testing::Record& record : testing::read_topic(servers.brokers(), topic)) {
    const std::uint64_t value = std::stoull(*record.value);
    ASSERT_LE(value, next) << "none is missing before it";
    if (value == next) next += 1;
  }
  EXPECT_EQ(next, kBatches * kBatch);
}

}  // namespace
}  // namespace dualstream::kafka
