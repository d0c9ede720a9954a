#include "kafka/producer_group.h"

#include <array>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "support/events.h"
#include "support/fake_kafka_producer.h"

namespace dualstream::kafka {
namespace {

using testing::at;
using testing::FakeKafkaProducer;
using testing::make_event;

constexpr std::size_t kClients = 3;

class ProducerGroupTest : public ::testing::Test {
 protected:
  ProducerGroupTest() {
    std::vector<std::unique_ptr<KafkaProducer>> clients;
    for (FakeKafkaProducer*& fake : fakes_) {
      auto client = std::make_unique<FakeKafkaProducer>();
      fake = client.get();
      clients.push_back(std::move(client));
    }
    group_ = std::make_unique<ProducerGroup>(std::move(clients));
  }

  void hand_over(std::int32_t lane, std::uint64_t tag) {
    event::EventList events;
    events.push_back(make_event("source", tag));
    group_->produce(lane, events, refused_);
    EXPECT_TRUE(events.empty());
  }

  std::array<FakeKafkaProducer*, kClients> fakes_{};
  std::unique_ptr<ProducerGroup> group_;
  std::vector<Report> refused_;
};

TEST_F(ProducerGroupTest, TakesEachLaneToItsClientAndPartition) {
  for (std::int32_t lane = 0; lane < 6; ++lane) hand_over(lane, static_cast<std::uint64_t>(lane));
  for (std::size_t client = 0; client < kClients; ++client) {
    const auto& handed_over = fakes_[client]->handed_over;
    ASSERT_EQ(handed_over.size(), 2U);
    EXPECT_EQ(handed_over[0].partition, 0);
    EXPECT_EQ(handed_over[0].event->tag(), client);
    EXPECT_EQ(handed_over[1].partition, 1);
    EXPECT_EQ(handed_over[1].event->tag(), client + kClients);
  }
}

TEST_F(ProducerGroupTest, ReportsByLaneAndPartition) {
  hand_over(5, 7);  // Client 2, partition 1.
  fakes_[2]->acknowledge();
  std::array<Report, 4> reports;
  ASSERT_EQ(group_->poll_reports(reports), 1U);
  EXPECT_EQ(reports[0].lane, 5);
  EXPECT_EQ(reports[0].partition, 1);
  EXPECT_EQ(reports[0].event->tag(), 7U);

  fakes_[1]->refused_tags[8] = Failure::rejected;
  hand_over(4, 8);
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].lane, 4);
  EXPECT_EQ(refused_[0].partition, 1);
}

TEST_F(ProducerGroupTest, ReportsOfAllClientsFillWhatThereIsRoomFor) {
  for (std::uint64_t i = 0; i < 9; ++i) hand_over(static_cast<std::int32_t>(i % 3), i);
  for (FakeKafkaProducer* fake : fakes_) fake->acknowledge();
  std::array<Report, 4> reports;
  EXPECT_EQ(group_->poll_reports(reports), 4U);
  EXPECT_EQ(group_->poll_reports(reports), 4U);
  EXPECT_EQ(group_->poll_reports(reports), 1U);
  EXPECT_EQ(group_->poll_reports(reports), 0U);
}

TEST_F(ProducerGroupTest, APartitionCountsOnceEveryClientHasHeardOfIt) {
  TopicView view;
  fakes_[0]->topic_changes.push_back({.connections = {1, 2}, .message_bytes_max = 500});
  EXPECT_FALSE(group_->poll_topic(view)) << "two know nothing yet";
  fakes_[1]->topic_changes.push_back({.connections = {1}, .message_bytes_max = 0});
  fakes_[2]->topic_changes.push_back({.connections = {-1, 2}, .message_bytes_max = 400});
  ASSERT_TRUE(group_->poll_topic(view));
  EXPECT_EQ(view.connections, (std::vector<std::int32_t>{3, 4, -1}));
  EXPECT_EQ(view.message_bytes_max, 400U);
  EXPECT_FALSE(group_->poll_topic(view)) << "nothing has changed";

  fakes_[1]->topic_changes.push_back({.connections = {1, 2}, .message_bytes_max = 0});
  ASSERT_TRUE(group_->poll_topic(view));
  EXPECT_EQ(view.connections, (std::vector<std::int32_t>{3, 4, -1, 6, 7, 8}));
}

TEST_F(ProducerGroupTest, ClosesAllAndHandsBackWhatEachStillHad) {
  hand_over(0, 1);
  hand_over(4, 2);
  std::vector<Report> last;
  group_->close(last);
  ASSERT_EQ(last.size(), 2U);
  EXPECT_EQ(last[0].lane, 0);
  EXPECT_EQ(last[1].lane, 4);
  EXPECT_EQ(last[1].partition, 1);
  for (const FakeKafkaProducer* fake : fakes_) EXPECT_TRUE(fake->closed);
}

TEST_F(ProducerGroupTest, PurgesAll) {
  group_->purge();
  for (const FakeKafkaProducer* fake : fakes_) EXPECT_TRUE(fake->purged);
}

TEST_F(ProducerGroupTest, PassesOnWhatAnyOfThemSays) {
  fakes_[1]->notices.push_back({NoticeKind::error, "second"});
  fakes_[2]->wants_poll_at = at(std::chrono::seconds{3});
  fakes_[1]->answered = at(std::chrono::seconds{2});
  Notice notice;
  ASSERT_TRUE(group_->poll_notice(notice));
  EXPECT_EQ(notice.text, "second");
  EXPECT_FALSE(group_->poll_notice(notice));
  EXPECT_EQ(group_->poll_at(), at(std::chrono::seconds{3}));
  EXPECT_EQ(group_->answered_at(), at(std::chrono::seconds{2}));
}

// What connect() of each said, and with how much time.
class Connecting final : public KafkaProducer {
 public:
  explicit Connecting(StatusCode says) : says_(says) {}

  Status connect(base::Duration timeout) override {
    given = timeout;
    return says_ == StatusCode::ok ? Status{} : Status::error(says_, "said by the test");
  }
  void produce(std::int32_t, event::EventList&, std::vector<Report>&) override {}
  std::size_t poll_reports(std::span<Report>) override { return 0; }
  bool poll_topic(TopicView&) override { return false; }
  bool poll_notice(Notice&) override { return false; }
  void purge() override {}
  void close(std::vector<Report>&) override {}
  [[nodiscard]] int wake_fd() const override { return -1; }

  base::Duration given{-1};

 private:
  const StatusCode says_;
};

struct Connected {
  StatusCode code;
  std::vector<base::Duration> given;
};

Connected connect(const std::vector<StatusCode>& says, base::Duration timeout) {
  std::vector<std::unique_ptr<KafkaProducer>> clients;
  std::vector<const Connecting*> each;
  for (const StatusCode code : says) {
    auto client = std::make_unique<Connecting>(code);
    each.push_back(client.get());
    clients.push_back(std::move(client));
  }
  ProducerGroup group{std::move(clients)};
  Connected connected{.code = group.connect(timeout).code, .given = {}};
  for (const Connecting* client : each) connected.given.push_back(client->given);
  return connected;
}

TEST(ProducerGroupConnectTest, SaysOkWhenAllAre) {
  const Connected connected = connect({StatusCode::ok, StatusCode::ok}, std::chrono::seconds{5});
  EXPECT_EQ(connected.code, StatusCode::ok);
  EXPECT_GT(connected.given[1], base::Duration::zero());
  EXPECT_LE(connected.given[1], connected.given[0]);
}

TEST(ProducerGroupConnectTest, DoesNotWaitForTheRestOnceOneHasFailed) {
  const Connected connected =
      connect({StatusCode::unknown_topic, StatusCode::unreachable}, std::chrono::seconds{5});
  EXPECT_EQ(connected.code, StatusCode::unknown_topic);
  EXPECT_EQ(connected.given[1], base::Duration::zero());
}

TEST(ProducerGroupConnectTest, SaysWhatTheSecondMet) {
  const Connected connected =
      connect({StatusCode::ok, StatusCode::unauthorized}, std::chrono::seconds{5});
  EXPECT_EQ(connected.code, StatusCode::unauthorized);
}

TEST(ProducerGroupConnectTest, LacksAThreadWhoeverLacksIt) {
  const Connected connected =
      connect({StatusCode::unreachable, StatusCode::exhausted}, std::chrono::seconds{5});
  EXPECT_EQ(connected.code, StatusCode::exhausted);
}

}  // namespace
}  // namespace dualstream::kafka
