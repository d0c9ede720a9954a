// Readers under faults: connections cut again and again, Redis killed, frozen and overrun, Kafka
// killed in mid catch-up, history that goes while it is read. Whatever happens, each event comes
// once and in order, or a gap says that it cannot come.
#include "support/subscriber_test.h"

#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/fault_run.h"
#include "support/redis_admin.h"

namespace dualstream::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// About 5,000 events a second, for BackgroundLoad's pauses.
constexpr Load kRound{.threads = 2, .events = 20, .sources = 40};

class SubscriberFaultTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { servers_ = std::make_unique<Servers>(); }
  static void TearDownTestSuite() { servers_.reset(); }

  // One reader of everything, one of a source by name with its payloads.
  struct Readers {
    explicit Readers(const SubscriberSetup& setup, SubscriberOptions options)
        : subscriber(setup.open_subscriber(std::move(options))),
          all(SubscriberSetup::subscribe(*subscriber, {.channels = {setup.aggregate()}})),
          one(SubscriberSetup::subscribe(
              *subscriber, {.sources = {{"repo", SubscriberSetup::source(5)}}, .payload = true})) {
      EXPECT_TRUE(SubscriberSetup::live_within(*all, seconds{10}));
      EXPECT_TRUE(SubscriberSetup::live_within(*one, seconds{10}));
      check_all = std::make_unique<UpdatesCheck>(*all);
      check_one = std::make_unique<UpdatesCheck>(*one);
    }
    std::unique_ptr<Subscriber> subscriber;
    std::unique_ptr<Subscription> all;
    std::unique_ptr<Subscription> one;
    std::unique_ptr<UpdatesCheck> check_all;
    std::unique_ptr<UpdatesCheck> check_one;
  };

  void expect_both(const Readers& readers, milliseconds timeout) const {
    setup_.expect_all(*readers.check_all, *readers.all, {}, "", false, timeout);
    std::vector<Record> of_one;
    for (const Record& record : setup_.records()) {
      if (record.key == SubscriberSetup::source(5)) of_one.push_back(record);
    }
    UpdatesReport report;
    EXPECT_TRUE(eventually(timeout, [&] {
      report = readers.check_one->check(of_one, {}, "", VerifyingEvents{setup_.events()}, true);
      return report.missing == 0;
    }));
    EXPECT_TRUE(report.ok()) << report.text;
    EXPECT_EQ(report.received, of_one.size());
    EXPECT_EQ(readers.all->stats().gaps_lost + readers.one->stats().gaps_lost, 0U);
  }

  [[nodiscard]] SubscriberOptions quick_to_notice() const {
    SubscriberOptions options = setup_.subscriber_options();
    options.redis.reply_timeout = milliseconds{2'000};
    return options;
  }

  static inline std::unique_ptr<Servers> servers_;
  const SubscriberSetup setup_{servers_->brokers(), servers_->redis_address()};
};

TEST_F(SubscriberFaultTest, S1_CutAgainAndAgainUnderLoad) {
  std::mt19937_64 random{fault_seed()};
  EngineRun run{setup_.engine_options(), setup_.events()};
  const Readers readers{setup_, setup_.subscriber_options()};
  RedisAdmin admin{servers_->redis_address()};
  BackgroundLoad load{run, kRound};
  const std::size_t cuts = 25 * fault_scale();
  std::size_t done = 0;
  while (done < cuts) {
    done += admin.command("CLIENT KILL TYPE pubsub") == "0" ? 0 : 1;
    const auto until =
        std::chrono::steady_clock::now() + milliseconds{static_cast<int>(20 + random() % 200)};
    (void)eventually(milliseconds{500}, [&] { return std::chrono::steady_clock::now() >= until; });
  }
  const LoadResult published = load.finish();
  ASSERT_TRUE(run.stop().ok());
  std::cout << published.accepted << " events, " << done << " cuts\n";
  expect_both(readers, seconds{30});
  EXPECT_GT(readers.all->stats().gaps_healed, 0U);
}

TEST_F(SubscriberFaultTest, S2_RedisKilledAndStartedAgain) {
  EngineRun run{setup_.engine_options(), setup_.events()};
  const Readers readers{setup_, setup_.subscriber_options()};
  BackgroundLoad load{run, kRound};
  EXPECT_TRUE(eventually(seconds{10}, [&] { return readers.check_all->received() > 1'000; }));
  servers_->kill("redis");
  const std::size_t before = readers.check_all->received();
  EXPECT_TRUE(eventually(seconds{10}, [&] {
    return readers.check_all->received() > before + 2'000;
  })) << "while Redis is away Kafka is read";
  EXPECT_EQ(readers.subscriber->state().redis, LinkHealth::away);
  servers_->start("redis");
  EXPECT_TRUE(eventually(seconds{10},
                         [&] { return readers.subscriber->state().redis == LinkHealth::ready; }));
  const std::uint64_t live = readers.all->stats().live;
  EXPECT_TRUE(eventually(seconds{10}, [&] { return readers.all->stats().live > live + 500; }));
  load.finish();
  ASSERT_TRUE(run.stop().ok());
  expect_both(readers, seconds{30});
}

TEST_F(SubscriberFaultTest, S3_RedisFrozenForLongerThanItMayBeSilent) {
  EngineRun run{setup_.engine_options(), setup_.events()};
  const Readers readers{setup_, quick_to_notice()};
  BackgroundLoad load{run, kRound};
  EXPECT_TRUE(eventually(seconds{10}, [&] { return readers.check_all->received() > 1'000; }));
  servers_->freeze("redis");
  EXPECT_TRUE(eventually(seconds{10},
                         [&] { return readers.subscriber->state().redis == LinkHealth::away; }));
  const std::size_t before = readers.check_all->received();
  EXPECT_TRUE(
      eventually(seconds{10}, [&] { return readers.check_all->received() > before + 500; }));
  servers_->thaw("redis");
  const std::uint64_t live = readers.all->stats().live;
  EXPECT_TRUE(eventually(seconds{15}, [&] { return readers.all->stats().live > live + 500; }));
  load.finish();
  ASSERT_TRUE(run.stop().ok());
  expect_both(readers, seconds{30});
}

TEST_F(SubscriberFaultTest, S4_ThrownOutForItsOutputBuffer) {
  // One frame is more than the buffer may hold, however quick the reader is.
  Options large = setup_.engine_options();
  large.redis.linger = milliseconds{50};
  large.redis.frame_events_max = 2'000;
  large.redis.frame_bytes_max = 128 * 1024;
  EngineRun run{large, setup_.events()};
  const Readers readers{setup_, setup_.subscriber_options()};
  RedisAdmin admin{servers_->redis_address()};
  admin.reply_to({"CONFIG", "SET", "client-output-buffer-limit", "pubsub 1kb 0 0"});
  // Until it has happened: a reader may always be quicker.
  for (int round = 0; round < 50 && readers.all->stats().history == 0; ++round) {
    run.publish({.threads = 2, .events = 10'000, .sources = 40});
    ASSERT_TRUE(run.drained_within(seconds{10}));
  }
  admin.reply_to({"CONFIG", "SET", "client-output-buffer-limit", "pubsub 32mb 8mb 60"});
  ASSERT_TRUE(run.stop().ok());
  expect_both(readers, seconds{30});
  EXPECT_GT(readers.all->stats().history, 0U);
}

TEST_F(SubscriberFaultTest, S5_KafkaKilledInMidCatchUp) {
  EngineRun run{setup_.engine_options(), setup_.events()};
  run.publish({.threads = 2, .events = 60'000 * fault_scale(), .sources = 40});
  ASSERT_TRUE(run.drained_within(seconds{120}));
  const auto subscriber = setup_.open_subscriber();
  const auto late = SubscriberSetup::subscribe(
      *subscriber, {.channels = {setup_.aggregate()},
                    .from = From::offset({{0, 0}, {1, 0}, {2, 0}, {3, 0}}),
                    .queue_updates_max = 2'000});
  UpdatesCheck check{*late};
  check.take_time(milliseconds{20});
  EXPECT_TRUE(eventually(seconds{10}, [&] { return check.received() > 3'000; }));
  servers_->kill("kafka");
  check.take_time(milliseconds{0});
  EXPECT_TRUE(
      eventually(seconds{10}, [&] { return subscriber->state().kafka == LinkHealth::away; }));
  servers_->start("kafka");
  run.publish({.threads = 2, .events = 2'000, .sources = 40});
  ASSERT_TRUE(run.stop().ok());
  setup_.expect_all(check, *late, {}, "", false, seconds{40});
  EXPECT_EQ(late->stats().gaps_lost, 0U);
}

TEST_F(SubscriberFaultTest, S6_HistoryThatGoesWhileItIsReadIsTold) {
  EngineRun run{setup_.engine_options(), setup_.events()};
  run.publish({.threads = 2, .events = 60'000, .sources = 40});
  ASSERT_TRUE(run.drained_within(seconds{120}));
  const std::vector<Record> before = setup_.records();
  const auto subscriber = setup_.open_subscriber();
  const auto late = SubscriberSetup::subscribe(
      *subscriber, {.channels = {setup_.aggregate()},
                    .from = From::offset({{0, 0}, {1, 0}, {2, 0}, {3, 0}}),
                    .queue_updates_max = 200});
  UpdatesCheck check{*late};
  check.take_time(milliseconds{200});
  EXPECT_TRUE(eventually(seconds{10}, [&] { return check.received() > 100; }));
  for (const auto& [partition, end] : setup_.ends()) {
    delete_records(servers_->brokers(), setup_.topic(), partition, end - 100);
  }
  check.take_time(milliseconds{0});
  UpdatesReport report;
  EXPECT_TRUE(eventually(seconds{30}, [&] {
    report = check.check(before, {}, "", VerifyingEvents{setup_.events()}, false);
    return report.missing == 0;
  }));
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_GT(report.gaps, 0U);
  EXPECT_LT(report.received, before.size()) << "what was deleted cannot have come";
  EXPECT_EQ(late->stats().gaps_lost, report.gaps);
  ASSERT_TRUE(run.stop().ok());
  std::cout << "received " << report.received << ", gaps told " << report.gaps << '\n';
}

// What a reader was told of the topic that is there now: in each partition all after the last word
// that it was made anew.
struct OfThisTopic {
  std::map<std::int32_t, std::vector<Update>> updates;
  std::size_t changes = 0;

  explicit OfThisTopic(const UpdatesCheck& check) {
    for (Update& update : check.updates()) {
      std::vector<Update>& here = updates[update.partition];
      if (update.reason == GapReason::topic_changed) {
        here.clear();
        changes += 1;
      } else {
        here.push_back(std::move(update));
      }
    }
  }

  // Each record once, in order for each source, with its own payload where there is one; what is
  // wrong otherwise.
  [[nodiscard]] std::string compare(const std::vector<Record>& records,
                                    const VerifyingEvents& events, bool with_payload) const {
    std::set<std::pair<std::int32_t, std::int64_t>> missing;
    for (const Record& record : records) missing.emplace(record.partition, record.offset);
    for (const auto& [partition, some] : updates) {
      std::map<std::string, std::int64_t> newest;
      for (const Update& update : some) {
        const std::string where = update.source_id + " at " + std::to_string(partition) + ":" +
                                  std::to_string(update.offset);
        if (missing.erase({partition, update.offset}) == 0) return "twice, or not there: " + where;
        const auto [last, first] = newest.try_emplace(update.source_id, update.offset);
        if (!first && update.offset < last->second) return "out of order: " + where;
        last->second = update.offset;
        const auto payload = events.recognise(update.payload);
        if (with_payload && (!payload || payload->id != update.id)) return "payload: " + where;
      }
    }
    if (missing.empty()) return "";
    const auto [partition, offset] = *missing.begin();
    return "missing: " + std::to_string(missing.size()) + ", the first at " +
           std::to_string(partition) + ":" + std::to_string(offset);
  }
};

// Deleted and created again while readers listen.
TEST_F(SubscriberFaultTest, S7_ReadersGoOnWithATopicThatWasMadeAnewAndAreTold) {
  const SubscriberSetup setup{servers_->brokers(), servers_->redis_address()};
  const auto subscriber = setup.open_subscriber();
  const auto plain = SubscriberSetup::subscribe(*subscriber, {.channels = {setup.aggregate()}});
  const auto paid =
      SubscriberSetup::subscribe(*subscriber, {.channels = {setup.aggregate()}, .payload = true});
  ASSERT_TRUE(SubscriberSetup::live_within(*plain, seconds{10}));
  ASSERT_TRUE(SubscriberSetup::live_within(*paid, seconds{10}));
  const UpdatesCheck check_plain{*plain};
  const UpdatesCheck check_paid{*paid};
  std::uint64_t topics = 0;
  for (const std::size_t events : {std::size_t{2'000}, std::size_t{300}}) {
    if (topics > 0) {
      delete_topic(setup.brokers(), setup.topic());
      create_topic(setup.brokers(), setup.topic(), {.partitions = 4});
    }
    topics += 1;
    SCOPED_TRACE(topics);
    const VerifyingEventsOptions of_this_topic{
        .seed = topics, .source_prefix = "owner/t" + std::to_string(topics) + "s"};
    EngineRun run{setup.engine_options(), of_this_topic};
    run.publish({.threads = 2, .events = events, .sources = 40});
    ASSERT_TRUE(run.stop().ok());
    const std::vector<Record> records = setup.records();
    ASSERT_EQ(records.size(), events);
    std::string wrong;
    EXPECT_TRUE(eventually(seconds{20}, [&] {
      const OfThisTopic of_plain{check_plain};
      const OfThisTopic of_paid{check_paid};
      wrong = of_plain.compare(records, VerifyingEvents{of_this_topic}, false);
      if (wrong.empty()) wrong = of_paid.compare(records, VerifyingEvents{of_this_topic}, true);
      return wrong.empty() && of_plain.changes == 4 * (topics - 1) &&
             of_paid.changes == 4 * (topics - 1);
    })) << wrong;
    std::cout << "topic " << topics << ": " << events << " events, told "
              << OfThisTopic{check_plain}.changes << " changes\n";
  }
  EXPECT_TRUE(SubscriberSetup::live_within(*plain, seconds{10}));
  EXPECT_TRUE(SubscriberSetup::live_within(*paid, seconds{10}));
  EXPECT_EQ(plain->stats().gaps_lost, OfThisTopic{check_plain}.changes) << "no other gap";
}

}  // namespace
}  // namespace dualstream::testing
