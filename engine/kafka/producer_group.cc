#include "kafka/producer_group.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "kafka/librdkafka_producer.h"

namespace dualstream::kafka {

ProducerGroup::ProducerGroup(std::vector<std::unique_ptr<KafkaProducer>> clients)
    : clients_(std::move(clients)), views_(clients_.size()) {
  CHECK(!clients_.empty(), "somebody has to produce");
}

Status ProducerGroup::connect(base::Duration timeout) {
  const base::TimePoint deadline = base::Clock::now() + timeout;
  Status status = clients_.front()->connect(timeout);
  for (std::size_t client = 1; client < clients_.size(); ++client) {
    const base::Duration left = deadline - base::Clock::now();
    // With no time to ask it says `unreachable` of a cluster that nobody knows anything about.
    const bool asks = status.ok() && left > base::Duration::zero();
    Status next = clients_[client]->connect(asks ? left : base::Duration::zero());
    if (!next.ok() && (asks || next.code != StatusCode::unreachable)) status = std::move(next);
  }
  return status;
}

void ProducerGroup::produce(std::int32_t lane, event::EventList& events,
                            std::vector<Report>& refused) {
  const auto client = static_cast<std::size_t>(lane % clients());
  const std::size_t before = refused.size();
  clients_[client]->produce(lane / clients(), events, refused);
  give_lanes(client, std::span{refused}.subspan(before));
}

std::size_t ProducerGroup::poll_reports(std::span<Report> out) {
  std::size_t count = 0;
  // Every client is asked, also when there is no room: it lives on being asked.
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    const std::size_t client = (turn_ + i) % clients_.size();
    const std::span<Report> room = out.subspan(count);
    const std::size_t polled = clients_[client]->poll_reports(room);
    give_lanes(client, room.first(polled));
    count += polled;
  }
  turn_ = (turn_ + 1) % clients_.size();
  return count;
}

bool ProducerGroup::poll_topic(TopicView& out) {
  bool changed = false;
  for (std::size_t client = 0; client < clients_.size(); ++client) {
    TopicView view;
    if (!clients_[client]->poll_topic(view)) continue;
    views_[client] = std::move(view);
    changed = true;
  }
  if (!changed) return false;
  const auto partitions_of = [](const TopicView& view) { return view.connections.size(); };
  const std::size_t partitions =
      partitions_of(*std::ranges::min_element(views_, {}, partitions_of));
  if (partitions == 0) return false;
  out = {};
  out.connections.reserve(partitions * clients_.size());
  for (std::size_t partition = 0; partition < partitions; ++partition) {
    for (std::int32_t client = 0; client < clients(); ++client) {
      const std::int32_t broker = views_[static_cast<std::size_t>(client)].connections[partition];
      out.connections.push_back(broker < 0 ? -1 : broker * clients() + client);
    }
  }
  for (const TopicView& view : views_) {
    if (view.message_bytes_max == 0) continue;
    if (out.message_bytes_max == 0 || view.message_bytes_max < out.message_bytes_max) {
      out.message_bytes_max = view.message_bytes_max;
    }
  }
  return true;
}

bool ProducerGroup::poll_notice(Notice& out) {
  return std::ranges::any_of(clients_,
                             [&out](const auto& client) { return client->poll_notice(out); });
}

void ProducerGroup::purge() {
  for (const std::unique_ptr<KafkaProducer>& client : clients_) client->purge();
}

void ProducerGroup::close(std::vector<Report>& reports) {
  for (std::size_t client = 0; client < clients_.size(); ++client) {
    const std::size_t before = reports.size();
    clients_[client]->close(reports);
    give_lanes(client, std::span{reports}.subspan(before));
  }
}

int ProducerGroup::wake_fd() const { return clients_.front()->wake_fd(); }

base::TimePoint ProducerGroup::answered_at() const {
  base::TimePoint last{};
  for (const auto& client : clients_) last = std::max(last, client->answered_at());
  return last;
}

base::TimePoint ProducerGroup::poll_at() const {
  base::TimePoint first = base::kNever;
  for (const auto& client : clients_) first = std::min(first, client->poll_at());
  return first;
}

void ProducerGroup::give_lanes(std::size_t client, std::span<Report> reports) const noexcept {
  for (Report& report : reports) {
    report.lane = report.partition * clients() + static_cast<std::int32_t>(client);
  }
}

Status make_producer_group(const KafkaOptions& options, base::Parker& consumer,
                           std::unique_ptr<KafkaProducer>& producer) {
  if (options.clients == 1) return make_librdkafka_producer(options, consumer, producer);
  std::vector<std::unique_ptr<KafkaProducer>> clients(options.clients);
  for (std::unique_ptr<KafkaProducer>& client : clients) {
    if (Status status = make_librdkafka_producer(options, consumer, client); !status.ok()) {
      return status;
    }
  }
  producer = std::make_unique<ProducerGroup>(std::move(clients));
  return {};
}

}  // namespace dualstream::kafka
