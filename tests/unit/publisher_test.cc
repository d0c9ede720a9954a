#include "dualstream/publisher.h"

#include <array>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "publisher/publisher_impl.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

EventView valid_event() {
  return {.id = "1", .type = "T", .source_type = "s", .source_id = "x", .payload = "{}", .tag = 9};
}

// A publisher before a queue that nobody empties but the test.
class PublisherTest : public ::testing::Test {
 protected:
  PublishResult publish(const EventView& event) { return publisher_.publish(event); }

  void settle_one() {
    std::array<event::EventPtr, 1> one;
    ASSERT_EQ(queue_.pop(one), 1U);
    queue_.release(1, one[0]->block_bytes());
  }

  Options options_;
  base::Parker parker_;
  event::EventQueue queue_{{.events_max = 2}, parker_};
  base::Worker kafka_worker_;
  PublisherSlot slot_{queue_};
  PublisherImpl publisher_{slot_, queue_, kafka_worker_, options_};
};

TEST_F(PublisherTest, TakesACopy) {
  std::string payload = "payload";
  EventView event = valid_event();
  event.payload = payload;
  EXPECT_EQ(publish(event), PublishResult::accepted);
  payload.assign("changed");
  std::array<event::EventPtr, 1> one;
  ASSERT_EQ(queue_.pop(one), 1U);
  EXPECT_EQ(one[0]->payload(), "payload");
  EXPECT_EQ(one[0]->tag(), 9U);
}

TEST_F(PublisherTest, RefusesAnEmptyOrOversizeFieldByName) {
  const std::string long_text(64 * 1024, 'x');
  const auto refused = [this](std::string_view EventView::*field, std::string_view value,
                              const std::string& name) {
    EventView event = valid_event();
    event.*field = value;
    EXPECT_EQ(publish(event), PublishResult::invalid) << name;
    EXPECT_TRUE(publisher_.refusal_reason().starts_with(name + " is "))
        << publisher_.refusal_reason();
  };
  for (const std::string_view value : {std::string_view{}, std::string_view{long_text}}) {
    refused(&EventView::id, value, "id");
    refused(&EventView::type, value, "type");
    refused(&EventView::source_type, value, "source_type");
    refused(&EventView::source_id, value, "source_id");
  }
  EXPECT_EQ(slot_.counters.get(Counter::refused_invalid), 8U);
  EXPECT_EQ(queue_.pending_events(), 0U);
}

TEST_F(PublisherTest, TakesAnEmptyPayload) {
  EventView event = valid_event();
  event.payload = {};
  EXPECT_EQ(publish(event), PublishResult::accepted);
}

TEST_F(PublisherTest, RefusesWhatIsLargerThanKafkaWouldTake) {
  const std::string payload(options_.kafka.event_bytes_max, 'x');
  EventView event = valid_event();
  event.payload = payload;
  EXPECT_EQ(publish(event), PublishResult::too_large) << "one byte over, with its key";
  event.payload.remove_suffix(1);
  EXPECT_EQ(publish(event), PublishResult::accepted);
}

TEST_F(PublisherTest, SaysFullAndTakesItWhenThereIsRoomAgain) {
  EXPECT_EQ(publish(valid_event()), PublishResult::accepted);
  EXPECT_EQ(publish(valid_event()), PublishResult::accepted);
  EXPECT_EQ(publish(valid_event()), PublishResult::full);
  settle_one();
  EXPECT_EQ(publish(valid_event()), PublishResult::accepted);
  EXPECT_EQ(slot_.counters.get(Counter::accepted), 3U);
  EXPECT_EQ(slot_.counters.get(Counter::refused_full), 1U);
}

TEST_F(PublisherTest, WaitsForRoomOnlyAsLongAsItIsTold) {
  EXPECT_EQ(publish(valid_event()), PublishResult::accepted);
  EXPECT_EQ(publish(valid_event()), PublishResult::accepted);
  const auto start = base::Clock::now();
  EXPECT_EQ(publisher_.publish(valid_event(), milliseconds{30}), PublishResult::full);
  EXPECT_GE(base::Clock::now() - start, milliseconds{30});
  EXPECT_EQ(slot_.counters.get(Counter::refused_full), 1U) << "one call, one refusal";
  std::thread kafka{[this] { settle_one(); }};
  EXPECT_EQ(publisher_.publish(valid_event(), seconds{30}), PublishResult::accepted);
  kafka.join();
}

TEST_F(PublisherTest, SaysStoppingOnceTheQueueIsClosed) {
  queue_.close();
  EXPECT_EQ(publish(valid_event()), PublishResult::stopping);
  EXPECT_EQ(publisher_.publish(valid_event(), seconds{30}), PublishResult::stopping);
  EXPECT_EQ(slot_.counters.get(Counter::refused_stopping), 2U);
}

TEST_F(PublisherTest, ReportsABadLineWithItsReason) {
  EventView event;
  EXPECT_EQ(publisher_.parse("{\"id\":", 3, event), PublishResult::invalid);
  EXPECT_FALSE(publisher_.refusal_reason().empty());
  EXPECT_EQ(publisher_.parse(R"({"id":1,"type":"T","repo":{"name":"r"}})", 3, event),
            PublishResult::accepted);
  EXPECT_EQ(event.id, "1");
  EXPECT_EQ(event.tag, 3U);
}

TEST_F(PublisherTest, DoesNotWaitForAnswersToEventsThatWereRefused) {
  queue_.close();
  const std::array events{valid_event(), valid_event()};
  std::array<Outcome, 2> outcomes;
  const Status status = publisher_.publish_and_wait(events, seconds{30}, outcomes);
  EXPECT_EQ(status.code, StatusCode::rejected);
  EXPECT_EQ(outcomes[1].kind, OutcomeKind::refused);
  EXPECT_EQ(outcomes[1].refusal, PublishResult::stopping);
  EXPECT_EQ(outcomes[1].tag, 9U);
}

TEST_F(PublisherTest, NeedsAnOutcomeForEachEventItWaitsFor) {
  const std::array events{valid_event(), valid_event()};
  std::array<Outcome, 1> outcomes;
  EXPECT_EQ(publisher_.publish_and_wait(events, seconds{1}, outcomes).code,
            StatusCode::invalid_options);
  EXPECT_EQ(queue_.pending_events(), 0U);
}

}  // namespace
}  // namespace dualstream
