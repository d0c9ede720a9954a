// The topic is missing, deleted in mid load, or grows: what cannot be delivered fails as
// unknown_topic, and the rest arrives once, in order within each partition.
#include <malloc.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/fault_run.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EngineRun;
using testing::eventually;

class TopicFaultTest : public ::testing::Test {
 protected:
  Options options() { return EngineRun::options(servers_.brokers(), topic_); }

  const testing::SharedServers servers_;
  const std::string topic_ = testing::unique_name("topic");
};

TEST_F(TopicFaultTest, K11_MissingAtOpenIsAnErrorThatNamesIt) {
  std::unique_ptr<Engine> engine;
  const auto start = std::chrono::steady_clock::now();
  const Status status = Engine::open(options(), engine);
  EXPECT_EQ(status.code, StatusCode::unknown_topic);
  EXPECT_NE(status.message.find("`" + topic_ + "`"), std::string::npos) << status.message;
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds{5});
}

TEST_F(TopicFaultTest, K11_MissingBehindAnEngineThatDidNotWaitFailsItsEventsByName) {
  Options hasty = options();
  hasty.kafka.open_timeout = milliseconds{0};
  hasty.kafka.delivery_timeout = milliseconds{1'500};
  EngineRun run{hasty};
  run.publish({.events = 2'000});
  EXPECT_TRUE(run.drained_within(seconds{10}));
  EXPECT_EQ(run.failed(Failure::unknown_topic), 2'000U);
  EXPECT_EQ(run.stats()[Counter::failed_maybe_persisted], 0U);
  EXPECT_EQ(run.log_lines_with("no topic `" + topic_ + "`"), 1U) << "one line, that names it";
  testing::create_topic(servers_.brokers(), topic_);
  run.publish({.events = 2'000});
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::delivered], 2'000U) << "made later, it is used";
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
}

TEST_F(TopicFaultTest, K12_DeletedInMidLoadAndMadeAgain) {
  testing::create_topic(servers_.brokers(), topic_);
  Options ours = options();
  ours.kafka.delivery_timeout = seconds{5};
  EngineRun run{ours};
  run.publish({.threads = 4, .events = 20'000});
  ASSERT_TRUE(run.drained_within(seconds{120}));
  std::thread loading{[&] { run.publish({.threads = 4, .events = 50'000}); }};
  testing::delete_topic(servers_.brokers(), topic_);
  loading.join();
  EXPECT_TRUE(run.drained_within(seconds{120}));
  run.publish({.threads = 4, .events = 1'000});
  EXPECT_TRUE(run.drained_within(seconds{120}));
  const std::uint64_t failed = run.stats()[Counter::failed];
  EXPECT_GE(failed, 1'000U) << "without a topic all fail";
  EXPECT_EQ(run.failed(Failure::unknown_topic), failed)
      << run.failed(Failure::timed_out) << " timed out, " << run.failed(Failure::stopped)
      << " stopped, " << run.failed(Failure::rejected) << " rejected";
  std::printf("failed: %zu unknown_topic, %llu of them maybe persisted\n",
              run.failed(Failure::unknown_topic),
              static_cast<unsigned long long>(run.stats()[Counter::failed_maybe_persisted]));
  testing::create_topic(servers_.brokers(), topic_);
  const std::uint64_t before = run.stats()[Counter::delivered];
  // As soon as the engine sees it.
  ASSERT_TRUE(eventually(seconds{20}, [&] {
    run.publish({.threads = 1, .events = 1});
    return run.drained_within(seconds{10}) && run.stats()[Counter::delivered] > before;
  }));
  run.publish({.threads = 4, .events = 20'000});
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::delivered], before + 20'001);
  const auto report = run.check_topic();
  // What was delivered before went with the topic.
  EXPECT_EQ(report.records, 20'001U);
  EXPECT_EQ(report.missing, before);
  RecordProperty("lost", std::to_string(report.missing - before));
  EXPECT_EQ(report.forbidden + report.unexpected + report.duplicates + report.out_of_order +
                report.corrupt + report.misplaced,
            0U)
      << report.text;
}

// What is refused at hand-over must leave nothing behind in the client either.
TEST_F(TopicFaultTest, K12_FailingForAsLongAsTheTopicIsGoneTakesNoMemory) {
  testing::create_topic(servers_.brokers(), topic_);
  std::unique_ptr<Engine> engine;
  ASSERT_TRUE(Engine::open(options(), engine).ok());
  Publisher publisher = engine->publisher();
  const EventView event{
      .id = "1", .type = "t", .source_type = "repo", .source_id = "owner/repo", .payload = "{}"};
  Outcome outcome;
  ASSERT_TRUE(publisher.publish_and_wait({&event, 1}, seconds{20}, {&outcome, 1}).ok());
  testing::delete_topic(servers_.brokers(), topic_);
  ASSERT_TRUE(eventually(seconds{20}, [&] {
    (void)publisher.publish_and_wait({&event, 1}, seconds{5}, {&outcome, 1});
    return outcome.failure == Failure::unknown_topic;
  }));

  const auto bytes_after = [&](int events) {
    for (int i = 0; i < events; ++i) {
      EXPECT_EQ(publisher.publish(event, seconds{20}), PublishResult::accepted);
    }
    EXPECT_TRUE(eventually(seconds{60}, [&] { return engine->stats()[Counter::pending] == 0; }));
    return ::mallinfo2().uordblks;
  };
  const std::size_t before = bytes_after(100'000);  // As much is on the way at the most.
  const std::size_t after = bytes_after(100'000);
  EXPECT_GE(engine->stats()[Counter::failed_unknown_topic], 200'000U);
  EXPECT_LT(after, before + 8 * 1024 * 1024)
      << "a message of the client's is 160 bytes and its key";
}

TEST_F(TopicFaultTest, K12_GrownFromFourToEightPartitionsInMidLoad) {
  testing::create_topic(servers_.brokers(), topic_, {.partitions = 4});
  const std::size_t events = 20'000 * testing::fault_scale();
  EngineRun run{options()};
  run.publish({.threads = 4, .events = events});
  std::thread loading{[&] { run.publish({.threads = 4, .events = events}); }};
  testing::grow_topic(servers_.brokers(), topic_, 8);
  loading.join();
  ASSERT_TRUE(eventually(seconds{10}, [&] {
    return run.log_lines_with("the topic grew from 4 to 8 partitions") == 1;
  })) << "it is noticed, and told once";
  run.publish({.threads = 4, .events = events});
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::delivered], 3 * events);

  // The newest and the oldest sequence of each source in each partition.
  const testing::VerifyingEvents known;
  std::map<std::size_t, std::map<std::int32_t, std::pair<std::uint64_t, std::uint64_t>>> places;
  std::size_t records = 0;
  for (const testing::Record& record : testing::read_topic(servers_.brokers(), topic_)) {
    const auto event = known.recognise(record.value.value());
    ASSERT_TRUE(event) << *record.value;
    records += 1;
    auto& [first, last] = places[event->source]
                              .try_emplace(record.partition, event->sequence, event->sequence)
                              .first->second;
    ASSERT_TRUE(event->sequence == first || event->sequence == last + 1)
        << "in order and without a repeat within a partition";
    last = event->sequence;
  }
  EXPECT_EQ(records, 3 * events);
  std::size_t moved = 0;
  for (const auto& [source, partitions] : places) {
    ASSERT_LE(partitions.size(), 2U);
    if (partitions.size() == 1) continue;
    moved += 1;
    // It moved once, and a reader of both can tell which part comes first.
    const auto one = partitions.begin()->second;
    const auto other = partitions.rbegin()->second;
    EXPECT_TRUE(one.second + 1 == other.first || other.second + 1 == one.first) << source;
  }
  std::printf("%zu of %zu sources moved to another partition\n", moved, places.size());
  EXPECT_GT(moved, 0U);
}

}  // namespace
}  // namespace dualstream
