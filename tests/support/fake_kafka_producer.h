// FakeKafkaProducer stands behind the port in unit tests: a log in memory that acknowledges when
// the test says so.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kafka/kafka_producer.h"

namespace dualstream::testing {

class FakeKafkaProducer final : public kafka::KafkaProducer {
 public:
  struct HandedOver {
    std::int32_t partition = -1;
    event::EventPtr event;
  };

  // How the next events are treated.
  std::size_t room = SIZE_MAX;                    // What the client takes before it has no room.
  std::map<std::uint64_t, Failure> refused_tags;  // Refused at once, with no report later.
  bool acknowledge_at_once = false;

  Status connect(base::Duration) override { return {}; }

  void produce(std::int32_t partition, event::EventList& events,
               std::vector<kafka::Report>& refused) override {
    calls.emplace_back(partition, events.size());
    while (!events.empty()) {
      if (const auto found = refused_tags.find(events.front().tag()); found != refused_tags.end()) {
        kafka::Report& report = refused.emplace_back();
        report.lane = partition;
        report.partition = partition;
        report.failure = found->second;
        report.detail = "refused by the fake";
        report.event = events.pop_front();
        continue;
      }
      if (room == 0) return;
      room -= 1;
      handed_over.push_back({partition, events.pop_front()});
    }
    if (acknowledge_at_once) acknowledge();
  }

  // Acknowledges everything that was handed over.
  void acknowledge() { report(SIZE_MAX, Failure::none, Persisted::no); }

  // Reports the oldest `count` of what was handed over.
  void report(std::size_t count, Failure failure, Persisted persisted) {
    for (; count > 0 && !handed_over.empty(); --count) {
      HandedOver one = std::move(handed_over.front());
      handed_over.pop_front();
      kafka::Report& report = reports.emplace_back();
      report.lane = one.partition;
      report.partition = one.partition;
      report.failure = failure;
      report.persisted = persisted;
      report.detail = failure == Failure::none ? "" : "said by the fake";
      if (failure == Failure::none) {
        std::vector<std::string>& log = logs[one.partition];
        report.offset = static_cast<std::int64_t>(log.size());
        log.emplace_back(one.event->id());
      }
      report.event = std::move(one.event);
    }
  }

  std::size_t poll_reports(std::span<kafka::Report> out) override {
    std::size_t count = 0;
    while (count < out.size() && !reports.empty()) {
      out[count++] = std::move(reports.front());
      reports.pop_front();
    }
    return count;
  }

  bool poll_topic(kafka::TopicView& out) override {
    if (topic_changes.empty()) return false;
    out = std::move(topic_changes.front());
    topic_changes.pop_front();
    return true;
  }

  bool poll_notice(kafka::Notice& out) override {
    if (notices.empty()) return false;
    out = std::move(notices.front());
    notices.pop_front();
    return true;
  }

  void purge() override {
    purged = true;
    if (answers_purge) report(SIZE_MAX, Failure::stopped, Persisted::maybe);
  }

  void close(std::vector<kafka::Report>& last) override {
    closed = true;
    report(SIZE_MAX, Failure::stopped, Persisted::maybe);
    while (!reports.empty()) {
      last.push_back(std::move(reports.front()));
      reports.pop_front();
    }
  }

  [[nodiscard]] int wake_fd() const override { return -1; }
  [[nodiscard]] base::TimePoint poll_at() const override { return wants_poll_at; }
  [[nodiscard]] base::TimePoint answered_at() const override { return answered; }

  std::deque<kafka::TopicView> topic_changes;
  std::deque<kafka::Notice> notices;
  std::deque<HandedOver> handed_over;
  std::deque<kafka::Report> reports;
  std::map<std::int32_t, std::vector<std::string>> logs;    // What "Kafka" has, by partition.
  std::vector<std::pair<std::int32_t, std::size_t>> calls;  // Partition and size of each hand-over.
  base::TimePoint wants_poll_at = base::kNever;
  base::TimePoint answered{};  // When "the cluster" last answered for the topic.
  bool answers_purge = true;
  bool purged = false;
  bool closed = false;
};

}  // namespace dualstream::testing
