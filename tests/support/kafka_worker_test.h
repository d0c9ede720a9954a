// What tests of the KafkaWorker share.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kafka/kafka_worker.h"
#include "support/events.h"
#include "support/fake_kafka_producer.h"

namespace dualstream::kafka {

// The worker stepped by hand between a real queue and a fake Kafka. After each test the ledger has
// to balance.
class KafkaWorkerTest : public ::testing::Test {
 protected:
  void start(KafkaWorker::Settings settings = {}) {
    settings.on_outcomes = [this, then = settings.on_outcomes](std::span<const Outcome> outcomes) {
      for (const Outcome& outcome : outcomes) {
        outcomes_.push_back(outcome);
        payloads_.emplace_back(outcome.event.payload);
      }
      if (then) then(outcomes);
    };
    auto fake = std::make_unique<testing::FakeKafkaProducer>();
    kafka_ = fake.get();
    worker_ = std::make_unique<KafkaWorker>(std::move(settings), std::move(fake), queue_,
                                            &notifications_, counters_, log_);
  }

  void with_partitions(std::vector<std::int32_t> connections) {
    kafka_->topic_changes.push_back({std::move(connections)});
  }

  event::EventQueue::Admission publish(std::string_view source, std::uint64_t tag,
                                       event::AnswerSlot answer = {},
                                       base::TimePoint published_at = {}) {
    event::EventPtr event = testing::make_event(source, tag);
    event->answer = std::move(answer);
    event->published_at = published_at;
    const auto admission = queue_.admit(event->block_bytes());
    if (admission == event::EventQueue::Admission::admitted) {
      accepted_ += 1;
      EXPECT_TRUE(queue_.push(producer_, event));
    }
    return admission;
  }

  void step(base::Duration time = {}) { worker_->do_work(testing::at(time)); }

  void TearDown() override {
    EXPECT_EQ(accepted_, counters_.get(Counter::delivered) + counters_.get(Counter::failed) +
                             queue_.pending_events());
  }

  std::vector<std::uint64_t> tags(OutcomeKind kind) const {
    std::vector<std::uint64_t> tags;
    for (const Outcome& outcome : outcomes_) {
      if (outcome.kind == kind) tags.push_back(outcome.tag);
    }
    return tags;
  }

  std::vector<event::Notification> notified() {
    std::vector<event::Notification> all;
    std::array<event::Notification, 16> some;
    while (const std::size_t count = notifications_.pop(some)) {
      for (std::size_t i = 0; i < count; ++i) all.push_back(std::move(some[i]));
    }
    return all;
  }

  std::vector<std::string> lines_;
  base::Log log_{[this](const LogLine& line) { lines_.push_back(text_of(line)); }};
  base::Counters counters_;
  base::Parker parker_;
  event::EventQueue queue_{{.events_max = 10'000}, parker_};
  event::EventQueue::Producer producer_{queue_};
  event::NotificationQueue notifications_{{}, counters_, parker_};
  testing::FakeKafkaProducer* kafka_ = nullptr;
  std::unique_ptr<KafkaWorker> worker_;
  std::uint64_t accepted_ = 0;
  std::vector<Outcome> outcomes_;
  std::vector<std::string> payloads_;
};

}  // namespace dualstream::kafka
