#include "load/sender.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::uint32_t kRun = 5;

// Takes events as a test wants it: it can find no room, or refuse, from some event on.
class FakeTaker final : public EventTaker {
 public:
  PublishResult take(const EventView& event, milliseconds timeout) override {
    if (timeout.count() > 0) {
      if (waits++ == 0) spin();
      return waits < fulls_in_a_row ? PublishResult::full : accept(event);
    }
    if (accepted.size() == full_at && waits == 0) return PublishResult::full;
    if (accepted.size() == slow_at) {
      spin();
      slow_at = SIZE_MAX;
    }
    if (offered++ % 10 < refused_of_ten) return PublishResult::too_large;
    return accept(event);
  }
  [[nodiscard]] std::string_view refusal_reason() const override { return "too large for a test"; }

  struct Accepted {
    std::string id, source_id, payload;
    std::uint64_t tag = 0;
  };
  std::vector<Accepted> accepted;
  std::size_t offered = 0;
  std::size_t full_at = SIZE_MAX;
  std::size_t fulls_in_a_row = 1;
  std::size_t waits = 0;
  std::size_t slow_at = SIZE_MAX;
  milliseconds slow{0};
  std::size_t refused_of_ten = 0;

 private:
  // As a thread that the system does not let run.
  void spin() const {
    const RunClock pause;
    while (pause.now() < slow) {
    }
  }

  PublishResult accept(const EventView& event) {
    accepted.push_back({.id = std::string{event.id},
                        .source_id = std::string{event.source_id},
                        .payload = std::string{event.payload},
                        .tag = event.tag});
    return PublishResult::accepted;
  }
};

class SenderTest : public ::testing::Test {
 protected:
  SenderTest() {
    EXPECT_TRUE(StopRequest::make(seconds{1}, stop_).ok());
    share_ = share_out({.sources = 20}).front();
  }

  Sent send(SenderOptions options) {
    options.run = kRun;
    clock_.start();
    Sender sender{options, share_, payloads_, clock_, *stop_, limit_};
    sender.run(taker_);
    return sender.sent();
  }

  std::unique_ptr<StopRequest> stop_;
  SourceShare share_;
  const Payloads payloads_ = Payloads::of_size(96, 1);
  RunClock clock_;
  InFlightLimit* limit_ = nullptr;
  FakeTaker taker_;
};

TEST_F(SenderTest, SendsWhatIsRecognisedAndInOrderPerSource) {
  const Sent sent = send({.measured_max = 500});
  EXPECT_EQ(sent.accepted, 500U);
  EXPECT_EQ(sent.measured, 500U);
  EXPECT_EQ(sent.publish.count(), 500U);
  EXPECT_EQ(sent.bytes, 500U * 96);
  std::set<std::string> ids;
  std::map<std::string, std::int64_t> newest;
  for (const FakeTaker::Accepted& event : taker_.accepted) {
    EXPECT_TRUE(ids.insert(event.id).second);
    EXPECT_EQ(tag_in(event.id, kRun), event.tag);
    const auto mark = Payloads::recognise(event.payload);
    ASSERT_TRUE(mark);
    EXPECT_EQ(event.source_id, "source-" + std::to_string(mark->source));
    EXPECT_EQ(mark->index, mark_of(event.tag, clock_.now()).index);
    const auto [last, first] = newest.try_emplace(event.source_id, -1);
    EXPECT_GT(std::int64_t{mark->index}, last->second);
    last->second = mark->index;
  }
  EXPECT_GT(newest.size(), 10U);
}

TEST_F(SenderTest, KeepsToItsScheduleAndMarksEventsWithTheTimeTheyWereMeantFor) {
  const Schedule schedule{{.rate = 2'000}};
  const Sent sent = send({.schedule = schedule, .sent_max = 200});
  ASSERT_EQ(sent.accepted, 200U);
  EXPECT_EQ(sent.unsent, 0U);
  EXPECT_GE(clock_.now(), schedule.at(199));
  for (std::size_t at = 0; at < 200; ++at) {
    EXPECT_EQ(mark_of(taker_.accepted[at].tag, clock_.now()).since_start, schedule.at(at));
  }
}

TEST_F(SenderTest, LeavesTheWarmUpOutOfTheFigures) {
  const Sent sent =
      send({.schedule = Schedule{{.rate = 2'000}}, .warmup = milliseconds{50}, .sent_max = 200});
  EXPECT_EQ(sent.accepted, 200U);
  EXPECT_EQ(sent.measured, 100U);
  EXPECT_EQ(sent.publish.count(), 100U);
  EXPECT_EQ(sent.lag.count(), 100U);
}

// What a stall delays is late by what it was meant for, not only the one event that met it.
TEST_F(SenderTest, CountsTheDelayOfEveryEventThatAStallHolds) {
  taker_.slow_at = 10;
  taker_.slow = milliseconds{200};
  const Sent sent = send({.schedule = Schedule{{.rate = 1'000}}, .sent_max = 400});
  ASSERT_EQ(sent.accepted, 400U);
  EXPECT_GE(sent.late_self, 150U);
  EXPECT_EQ(sent.late_engine, 0U);
  EXPECT_GE(sent.lag.value_at(0.75), 90'000'000U);
  EXPECT_LT(sent.publish.value_at(0.9), 100'000'000U);
}

TEST_F(SenderTest, BlamesTheEngineForWhatWaitedForRoom) {
  taker_.full_at = 10;
  taker_.fulls_in_a_row = 3;
  taker_.slow = milliseconds{200};
  const Sent sent = send({.schedule = Schedule{{.rate = 1'000}}, .sent_max = 400});
  EXPECT_EQ(sent.accepted, 400U);
  EXPECT_EQ(sent.waits, 1U);
  EXPECT_GE(sent.late_engine, 150U);
  EXPECT_GE(sent.publish.max(), 200'000'000U);
}

TEST_F(SenderTest, EndsWhenThereIsNoRoomUntilTheEndAndSaysWhatItDidNotSend) {
  taker_.full_at = 10;
  taker_.fulls_in_a_row = SIZE_MAX;
  const Sent sent = send({.schedule = Schedule{{.rate = 1'000}}, .end = milliseconds{50}});
  EXPECT_EQ(sent.accepted, 10U);
  EXPECT_EQ(sent.unsent, 40U);
}

TEST_F(SenderTest, GoesOnAfterARefusalAndSaysWhy) {
  taker_.refused_of_ten = 2;
  const Sent sent = send({.sent_max = 100});
  EXPECT_EQ(sent.accepted, 80U);
  EXPECT_EQ(sent.refused, 20U);
  EXPECT_EQ(sent.refusal, "too large for a test");
}

TEST_F(SenderTest, SendsNoMoreThanMayBeInFlight) {
  InFlightLimit limit{7};
  limit_ = &limit;
  const Sent sent = send({.end = milliseconds{30}});
  EXPECT_EQ(sent.accepted, 7U);
}

TEST_F(SenderTest, HearsOfARequestToStop) {
  stop_->request(StopReason::signal);
  const Sent sent = send({.schedule = Schedule{{.rate = 0.1}}});
  EXPECT_EQ(sent.accepted, 0U);
}

}  // namespace
}  // namespace dualstream::command
