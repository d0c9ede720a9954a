// Readers on real servers: late joiners, sources, channels and patterns, payloads, slow ones.
#include "support/subscriber_test.h"

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/fault_run.h"
#include "support/redis_subscriber.h"

namespace dualstream::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SubscriberFlowTest : public ::testing::Test {
 protected:
  const SharedServers servers_;
  const SubscriberSetup setup_{servers_.brokers(), servers_.redis_address()};
};

TEST_F(SubscriberFlowTest, ASourceByNameComesOnceInOrderWithItsPayloads) {
  EngineRun run{setup_.engine_options(), setup_.events()};
  const auto subscriber = setup_.open_subscriber();
  const auto subscription = SubscriberSetup::subscribe(
      *subscriber, {.sources = {{"repo", SubscriberSetup::source(1)}}, .payload = true});
  ASSERT_TRUE(SubscriberSetup::live_within(*subscription, seconds{10}));
  const UpdatesCheck check{*subscription};
  run.publish({.threads = 2, .events = 4'000, .sources = 8});
  ASSERT_TRUE(run.stop().ok());
  setup_.expect_all(check, *subscription, {}, SubscriberSetup::source(1), true, seconds{20});
  EXPECT_EQ(check.received(), 500U);
  EXPECT_GT(subscription->stats().live, 0U);
}

TEST_F(SubscriberFlowTest, AChannelOfManySourcesAndAPatternSeeTheSame) {
  EngineRun run{setup_.engine_options(), setup_.events()};
  const auto subscriber = setup_.open_subscriber();
  const auto channel = SubscriberSetup::subscribe(*subscriber, {.channels = {setup_.aggregate()}});
  const auto pattern = SubscriberSetup::subscribe(*subscriber, {.patterns = {setup_.pattern()}});
  const auto both = SubscriberSetup::subscribe(
      *subscriber, {.channels = {setup_.aggregate()}, .patterns = {setup_.pattern()}});
  for (const auto* each : {&channel, &pattern, &both}) {
    ASSERT_TRUE(SubscriberSetup::live_within(**each, seconds{10}));
  }
  const UpdatesCheck of_channel{*channel};
  const UpdatesCheck of_pattern{*pattern};
  const UpdatesCheck of_both{*both};
  run.publish({.threads = 2, .events = 20'000, .sources = 100});
  ASSERT_TRUE(run.stop().ok());
  setup_.expect_all(of_channel, *channel, {}, "", false, seconds{20});
  setup_.expect_all(of_pattern, *pattern, {}, "", false, seconds{20});
  setup_.expect_all(of_both, *both, {}, "", false, seconds{20});
  EXPECT_EQ(of_channel.received(), 20'000U);
  EXPECT_GT(both->stats().repeats, 0U) << "told twice, handed on once";
}

TEST_F(SubscriberFlowTest, LateJoinersAtFullSpeedMissAndRepeatNothing) {
  EngineRun run{setup_.engine_options(), setup_.events()};
  run.publish({.threads = 2, .events = 20'000, .sources = 50});
  // As fast as two cores can publish, read back and compare at the same time.
  BackgroundLoad load{run, {.threads = 2, .events = 50, .sources = 50}};
  const auto subscriber = setup_.open_subscriber();
  const auto all = SubscriberSetup::subscribe(
      *subscriber,
      {.channels = {setup_.aggregate()}, .from = From::offset({{0, 0}, {1, 0}, {2, 0}, {3, 0}})});
  const auto since = SubscriberSetup::subscribe(
      *subscriber,
      {.sources = {{"repo", SubscriberSetup::source(3)}, {"repo", SubscriberSetup::source(4)}},
       .from = From::since(std::chrono::system_clock::now() - std::chrono::hours{1}),
       .payload = true});
  const UpdatesCheck of_all{*all};
  const UpdatesCheck of_since{*since};
  EXPECT_TRUE(eventually(seconds{30}, [&] { return all->stats().live > 5'000; }));
  load.finish();
  ASSERT_TRUE(run.stop().ok());
  setup_.expect_all(of_all, *all, {}, "", false, seconds{30});
  const auto records = setup_.records();
  std::vector<Record> of_two;
  for (const Record& record : records) {
    if (record.key == SubscriberSetup::source(3) || record.key == SubscriberSetup::source(4))
      of_two.push_back(record);
  }
  UpdatesReport report;
  EXPECT_TRUE(eventually(seconds{30}, [&] {
    report = of_since.check(of_two, {}, "", VerifyingEvents{setup_.events()}, true);
    return report.missing == 0;
  }));
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.received, of_two.size());
  EXPECT_EQ(all->stats().gaps_lost, 0U);
}

TEST_F(SubscriberFlowTest, TheLastNComeFirstAndThenWhatIsNew) {
  EngineRun run{setup_.engine_options(), setup_.events()};
  run.publish({.threads = 2, .events = 30'000, .sources = 300});
  ASSERT_TRUE(run.drained_within(seconds{120}));
  const auto subscriber = setup_.open_subscriber();
  const auto of_source = SubscriberSetup::subscribe(
      *subscriber,
      {.sources = {{"repo", SubscriberSetup::source(7)}}, .from = From::last(20), .payload = true});
  const auto of_all = SubscriberSetup::subscribe(
      *subscriber, {.channels = {setup_.aggregate()}, .from = From::last(150)});
  const UpdatesCheck check{*of_source};
  const UpdatesCheck check_all{*of_all};
  EXPECT_TRUE(eventually(seconds{20}, [&] { return check.received() == 20; })) << check.received();
  EXPECT_TRUE(eventually(seconds{20}, [&] { return check_all.received() == 150; }))
      << check_all.received();
  ASSERT_TRUE(SubscriberSetup::live_within(*of_source, seconds{10}));
  run.publish({.threads = 2, .events = 300, .sources = 300});
  ASSERT_TRUE(run.stop().ok());
  EXPECT_TRUE(eventually(seconds{20}, [&] { return check.received() == 21; })) << check.received();
  EXPECT_TRUE(eventually(seconds{20}, [&] { return check_all.received() == 450; }));
  const std::vector<Update> updates = check.updates();
  const VerifyingEvents events{setup_.events()};
  for (std::size_t i = 0; i < updates.size(); ++i) {
    const auto event = events.recognise(updates[i].payload);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->sequence, 80 + i);
    EXPECT_EQ(updates[i].origin, i < 20 ? Origin::history : Origin::live);
  }
}

TEST_F(SubscriberFlowTest, ASlowReaderIsBoundedAndCatchesUp) {
  EngineRun run{setup_.engine_options(), setup_.events()};
  const auto subscriber = setup_.open_subscriber();
  const auto slow = SubscriberSetup::subscribe(
      *subscriber, {.channels = {setup_.aggregate()}, .queue_updates_max = 500});
  const auto quick = SubscriberSetup::subscribe(*subscriber, {.channels = {setup_.aggregate()}});
  ASSERT_TRUE(SubscriberSetup::live_within(*slow, seconds{10}));
  ASSERT_TRUE(SubscriberSetup::live_within(*quick, seconds{10}));
  UpdatesCheck of_slow{*slow};
  const UpdatesCheck of_quick{*quick};
  of_slow.take_time(milliseconds{300});
  run.publish({.threads = 2, .events = 20'000, .sources = 100});
  ASSERT_TRUE(run.stop().ok());
  setup_.expect_all(of_quick, *quick, {}, "", false, seconds{20});
  EXPECT_GT(slow->stats().overruns, 0U);
  of_slow.take_time(milliseconds{0});
  setup_.expect_all(of_slow, *slow, {}, "", false, seconds{30});
  // Held meanwhile, or read from Kafka where that was too much: which, the machine's speed decides.
  // The counts follow at the end of a turn of the worker.
  EXPECT_TRUE(eventually(seconds{5},
                         [&] { return slow->stats().live + slow->stats().history == 20'000U; }));
}

TEST_F(SubscriberFlowTest, WithoutRedisKafkaAloneIsFollowed) {
  EngineRun run{setup_.engine_options(), setup_.events()};
  SubscriberOptions options = setup_.subscriber_options();
  options.redis.address.clear();
  options.outage_poll = milliseconds{100};
  const auto subscriber = setup_.open_subscriber(options);
  const auto subscription =
      SubscriberSetup::subscribe(*subscriber, {.channels = {setup_.aggregate()}});
  ASSERT_TRUE(eventually(
      seconds{10}, [&] { return subscription->stats().phase != SubscriptionPhase::joining; }));
  const UpdatesCheck check{*subscription};
  run.publish({.threads = 2, .events = 2'000, .sources = 10});
  ASSERT_TRUE(run.stop().ok());
  setup_.expect_all(check, *subscription, {}, "", false, seconds{20});
  EXPECT_EQ(subscription->stats().live, 0U);
}

// Somebody's own few lines, without any of ours: id, type and source_id, as the contract has it.
TEST_F(SubscriberFlowTest, WhoeverKnowsOnlyTheFirstThreeFieldsIsServed) {
  RedisSubscriber other{servers_.redis_address(), {.patterns = {setup_.pattern()}}};
  EngineRun run{setup_.engine_options(), setup_.events()};
  run.publish({.threads = 2, .events = 5'000, .sources = 20});
  ASSERT_TRUE(run.stop().ok());
  std::map<std::string, std::string> newest;  // Of each source, by Kafka.
  std::set<std::string> ids;
  for (const Record& record : setup_.records()) {
    const nlohmann::json event = nlohmann::json::parse(record.value.value_or(""));
    newest[record.key.value_or("")] = event.at("id");
    ids.insert(event.at("id").get<std::string>());
  }
  std::map<std::string, std::string> told;
  const auto read = [&] {
    told.clear();
    for (const RedisMessage& message : other.messages()) {
      const nlohmann::json fields = nlohmann::json::parse(message.text);
      EXPECT_TRUE(ids.contains(fields.at("id").get<std::string>()));
      EXPECT_EQ(fields.at("type"), "VerifyEvent");
      told[fields.at("source_id")] = fields.at("id");
    }
    return told == newest;
  };
  EXPECT_TRUE(eventually(seconds{5}, read)) << "the last message of each is its newest event";
}

TEST_F(SubscriberFlowTest, RefusesWhatCannotBeRead) {
  const auto subscriber = setup_.open_subscriber();
  std::unique_ptr<Subscription> subscription;
  EXPECT_EQ(subscriber->subscribe({}, subscription).code, StatusCode::invalid_options);
  EXPECT_EQ(subscriber->subscribe({.channels = {"news"}}, subscription).code,
            StatusCode::invalid_options)
      << "no template makes it";
  EXPECT_FALSE(subscription);
}

}  // namespace
}  // namespace dualstream::testing
