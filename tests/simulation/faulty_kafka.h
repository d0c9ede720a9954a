// FaultyKafka stands behind the KafkaProducer port: a client and its cluster, of which anything may
// fail that the port allows, by chance.
//
//   produce() -> [ requests under way, one list a lane ] -> log -> [ reports ] -> poll_reports()
//
// It is honest as idempotent clients are: requests of a lane are appended in order, and once, but
// for those that a fatal error makes its client send again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "kafka/batcher.h"
#include "kafka/kafka_producer.h"
#include "simulation/random.h"
#include "simulation/truth.h"

namespace dualstream::simulation {

class FaultyKafka final : public kafka::KafkaProducer {
 public:
  // Chances in a thousand, of each occasion.
  struct Faults {
    std::uint64_t no_room = 0;       // A hand-over is taken in part, or not at all.
    std::uint64_t refuse = 0;        // An event is refused at hand-over.
    std::uint64_t fail_event = 0;    // One event of a request fails.
    std::uint64_t fail_request = 0;  // All of it.
    std::uint64_t fatal = 0;
    std::uint64_t late = 0;   // An answer, or the report of it, does not come yet.
    std::uint64_t topic = 0;  // Leaders move, the topic grows, its max.message.bytes changes.
    std::uint64_t notice = 0;
    bool hangs_at_purge = false;
  };

  // So many clients of one topic.
  FaultyKafka(const Faults& faults, const kafka::Batcher::Limits& batching, std::int32_t clients,
              Random& random, Truth& truth)
      : faults_(faults),
        batching_(batching),
        clients_(static_cast<std::size_t>(clients)),
        random_(random),
        truth_(truth) {}

  // A moment in the cluster. False when there is nothing for it to do.
  bool act();

  // From now on nothing fails or is late.
  void calm();

  // The topic appears, with so many partitions.
  void make_topic(std::size_t partitions, std::size_t message_bytes_max);

  [[nodiscard]] bool topic_changed_places() const noexcept { return partition_counts_.size() > 1; }
  [[nodiscard]] std::size_t rebuilds() const noexcept { return rebuilds_; }

  // The port.
  Status connect(base::Duration) override { return {}; }
  void produce(std::int32_t lane, event::EventList& events,
               std::vector<kafka::Report>& refused) override;
  std::size_t poll_reports(std::span<kafka::Report> out) override;
  bool poll_topic(kafka::TopicView& out) override;
  bool poll_notice(kafka::Notice& out) override;
  void purge() override;
  void close(std::vector<kafka::Report>& reports) override;
  int wake_fd() const override { return -1; }

  // Whether `tag` stands at that place.
  [[nodiscard]] bool has(std::int32_t partition, std::int64_t offset, std::uint64_t tag) const;

 private:
  struct InFlight {
    event::EventPtr event;
    std::int64_t offset = -1;  // Once it is in the log.
  };
  struct Lane {
    std::deque<InFlight> request;
    std::size_t request_bytes = 0;
    std::size_t request_events = 0;
    std::size_t unpolled = 0;  // Handed over, and no report was polled.
  };
  struct Partition {
    std::vector<std::uint64_t> log;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> newest;  // Producer, source.
  };

  void grow_to(std::size_t partitions);
  void append(std::size_t lane, InFlight& one);
  void report(std::size_t lane, InFlight&& one, Failure failure);
  void answer(std::size_t lane);
  void die();
  void change_topic();
  void announce_topic();
  void hand_out(const kafka::Report& report);

  Faults faults_;
  const kafka::Batcher::Limits batching_;
  const std::size_t clients_;
  Random& random_;
  Truth& truth_;

  std::vector<Partition> partitions_;
  std::deque<Lane> lanes_;                     // clients_ of each partition; they do not move.
  std::vector<std::size_t> partition_counts_;  // That the topic has had.
  std::vector<std::int32_t> connections_;
  std::size_t message_bytes_max_ = 0;
  std::deque<kafka::TopicView> views_;
  std::deque<kafka::Report> reports_;
  std::deque<kafka::Notice> notices_;
  std::size_t rebuilds_ = 0;
  bool purged_ = false;
  bool closed_ = false;
};

}  // namespace dualstream::simulation
