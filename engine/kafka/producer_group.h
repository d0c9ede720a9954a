// ProducerGroup is several producers of one topic behind the port of one: each lane belongs to one
// of them.
//
//   produce(lane) -> client lane % clients, its partition lane / clients
//
// A client has one batch of a partition under way, so at a distance it sends one per round trip; as
// many clients send as many.
#pragma once

#include <memory>
#include <vector>

#include "base/parker.h"
#include "dualstream/options.h"
#include "kafka/kafka_producer.h"

namespace dualstream::kafka {

class ProducerGroup final : public KafkaProducer {
 public:
  // At least one.
  explicit ProducerGroup(std::vector<std::unique_ptr<KafkaProducer>> clients);

  // Waits for one client after the other, `timeout` in all. Once one has failed, or the time is
  // over, the rest connect in the background.
  [[nodiscard]] Status connect(base::Duration timeout) override;
  void produce(std::int32_t lane, event::EventList& events, std::vector<Report>& refused) override;
  [[nodiscard]] std::size_t poll_reports(std::span<Report> out) override;
  // What all of them know: a partition counts once every client has heard of it, and the smallest
  // max.message.bytes holds.
  [[nodiscard]] bool poll_topic(TopicView& out) override;
  [[nodiscard]] bool poll_notice(Notice& out) override;
  void purge() override;
  void close(std::vector<Report>& reports) override;
  [[nodiscard]] int wake_fd() const override;
  [[nodiscard]] base::TimePoint answered_at() const override;
  [[nodiscard]] base::TimePoint poll_at() const override;

 private:
  [[nodiscard]] std::int32_t clients() const noexcept {
    return static_cast<std::int32_t>(clients_.size());
  }
  void give_lanes(std::size_t client, std::span<Report> reports) const noexcept;

  const std::vector<std::unique_ptr<KafkaProducer>> clients_;
  std::vector<TopicView> views_;  // One for each; empty while it knows nothing.
  std::size_t turn_ = 0;          // Whose reports are polled first.
};

// Makes options.clients of them on librdkafka; a single one stands alone. As
// make_librdkafka_producer() otherwise.
[[nodiscard]] Status make_producer_group(const KafkaOptions& options, base::Parker& consumer,
                                         std::unique_ptr<KafkaProducer>& producer);

}  // namespace dualstream::kafka
