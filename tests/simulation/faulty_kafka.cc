#include "simulation/faulty_kafka.h"

#include <algorithm>

#include "kafka/partitioner.h"

namespace dualstream::simulation {
namespace {

constexpr std::size_t kPartitionsMax = 12;
constexpr std::size_t kMessageBytesMax = 4'000;
constexpr std::size_t kBatchHeaderBytes = 61;

}  // namespace

void FaultyKafka::make_topic(std::size_t partitions, std::size_t message_bytes_max) {
  grow_to(partitions);
  message_bytes_max_ = message_bytes_max;
  announce_topic();
}

void FaultyKafka::grow_to(std::size_t partitions) {
  partitions_.resize(partitions);
  partition_counts_.push_back(partitions);
  lanes_.resize(partitions * clients_);
  connections_.resize(lanes_.size(), 1);
}

void FaultyKafka::announce_topic() {
  views_.push_back({.connections = connections_, .message_bytes_max = message_bytes_max_});
}

void FaultyKafka::change_topic() {
  switch (random_.below(4)) {
    case 0:
      if (partitions_.size() < kPartitionsMax && random_.chance(200)) {
        grow_to(random_.between(partitions_.size() + 1, kPartitionsMax));
      }
      break;
    case 1:
      message_bytes_max_ = random_.between(300, kMessageBytesMax);
      if (random_.chance(300)) return;  // It is noticed when it hurts, or later.
      break;
    default:
      for (std::int32_t& connection : connections_) {
        if (random_.chance(300)) connection = static_cast<std::int32_t>(random_.below(4)) - 1;
      }
  }
  announce_topic();
}

void FaultyKafka::calm() {
  faults_ = {};
  if (partitions_.empty()) make_topic(3, kMessageBytesMax);
  message_bytes_max_ = kMessageBytesMax;
  announce_topic();
}

bool FaultyKafka::act() {
  if (closed_) return false;
  if (random_.chance(faults_.notice)) {
    notices_.push_back({random_.one_of({kafka::NoticeKind::unreachable, kafka::NoticeKind::topic,
                                        kafka::NoticeKind::unauthorized, kafka::NoticeKind::error,
                                        kafka::NoticeKind::info}),
                        "said by the simulation"});
  }
  if (partitions_.empty()) return false;
  if (random_.chance(faults_.topic)) change_topic();
  if (random_.chance(faults_.fatal) && !purged_) die();
  if (random_.chance(faults_.late)) return true;
  const std::size_t first = random_.below(lanes_.size());
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const std::size_t index = (first + i) % lanes_.size();
    if (lanes_[index].request.empty()) continue;
    answer(index);
    return true;
  }
  return false;
}

// The request under way of this lane gets on.
void FaultyKafka::answer(std::size_t index) {
  Lane& lane = lanes_[index];
  std::deque<InFlight>& request = lane.request;
  if (kBatchHeaderBytes + lane.request_bytes > message_bytes_max_ && request.front().offset < 0) {
    if (lane.request_events == 1) {
      truth_.events[request.front().event->tag()].too_large_alone = true;
    }
    while (!request.empty()) {
      report(index, std::move(request.front()), Failure::too_large);
      request.pop_front();
    }
    return;
  }
  if (random_.chance(faults_.fail_event)) {
    const std::size_t at = random_.below(request.size());
    if (request[at].offset < 0) {
      report(index, std::move(request[at]), Failure::rejected);
      request.erase(request.begin() + static_cast<std::ptrdiff_t>(at));
      return;
    }
  }
  if (random_.chance(faults_.fail_request)) {
    const Failure failure = random_.one_of(
        {Failure::timed_out, Failure::timed_out, Failure::unknown_topic, Failure::unauthorized});
    // What timed out may have been taken.
    if (failure == Failure::timed_out && random_.chance(500)) {
      for (InFlight& one : request) append(index, one);
    }
    while (!request.empty()) {
      report(index, std::move(request.front()), failure);
      request.pop_front();
    }
    return;
  }
  for (InFlight& one : request) append(index, one);
  if (random_.chance(faults_.late)) return;  // Taken, and not yet answered.
  std::size_t count = request.size();
  if (random_.chance(faults_.late)) count = random_.below(count + 1);
  for (; count > 0; --count) {
    report(index, std::move(request.front()), Failure::none);
    request.pop_front();
  }
}

void FaultyKafka::append(std::size_t lane, InFlight& one) {
  if (one.offset >= 0) return;
  Partition& partition = partitions_[lane / clients_];
  const std::uint64_t tag = one.event->tag();
  TrueEvent& event = truth_.events[tag];
  if (event.appended == 0) {
    std::uint64_t& newest = partition.newest[{event.producer, event.source}];
    truth_.require(newest <= tag, "order of a source of one publisher in the log", tag);
    newest = tag;
  }
  event.appended += 1;
  truth_.require(event.appended <= 1 + rebuilds_, "no repeats within a producer session", tag);
  one.offset = static_cast<std::int64_t>(partition.log.size());
  partition.log.push_back(tag);
}

void FaultyKafka::report(std::size_t lane, InFlight&& one, Failure failure) {
  kafka::Report& report = reports_.emplace_back();
  report.lane = static_cast<std::int32_t>(lane);
  report.partition = static_cast<std::int32_t>(lane / clients_);
  report.failure = failure;
  report.detail = failure == Failure::none ? "" : "failed by the simulation";
  if (failure == Failure::none) report.offset = one.offset;
  const bool appended = one.offset >= 0;  // By this client.
  const bool unsure = failure == Failure::timed_out || failure == Failure::stopped;
  if (failure != Failure::none && (appended || (unsure && random_.chance(300)))) {
    report.persisted = Persisted::maybe;
  }
  report.event = std::move(one.event);
}

// A fatal error of one client: a new one sends again, in order, what has no answer.
void FaultyKafka::die() {
  rebuilds_ += 1;
  notices_.push_back({kafka::NoticeKind::rebuilt, "rebuilt by the simulation"});
  for (std::size_t i = random_.below(clients_); i < lanes_.size(); i += clients_) {
    for (InFlight& one : lanes_[i].request) {
      one.offset = -1;
      one.event->set_may_be_in_log();
    }
  }
}

void FaultyKafka::produce(std::int32_t index, event::EventList& events,
                          std::vector<kafka::Report>& refused) {
  truth_.require(!purged_ && !closed_, "nothing is handed over after purge() or close()");
  Lane& lane = lanes_[static_cast<std::size_t>(index)];
  truth_.require(lane.unpolled == 0, "one batch of a lane is under way at a time");
  truth_.require(!events.empty() && events.size() <= batching_.batch_events_max,
                 "a batch keeps to its bound in events");
  std::size_t room = events.size();
  if (random_.chance(faults_.no_room)) room = random_.below(room + 1);
  const std::int32_t partition = index / static_cast<std::int32_t>(clients_);
  lane.request_bytes = 0;
  lane.request_events = 0;
  while (!events.empty() && room > 0) {
    const std::uint64_t tag = events.front().tag();
    TrueEvent& event = truth_.events[tag];
    truth_.require(!event.in_client && !event.answered, "an event is handed over once", tag);
    const auto of_its_key = [&](std::size_t partitions) {
      return index == kafka::lane_of(events.front().key_hash(),
                                     static_cast<std::int32_t>(partitions),
                                     static_cast<std::int32_t>(clients_)) &&
             partition == kafka::partition_of(events.front().source_id(),
                                              static_cast<std::int32_t>(partitions));
    };
    truth_.require(std::ranges::any_of(partition_counts_, of_its_key),
                   "an event goes to the partition of its key, and its source's lane", tag);
    if (random_.chance(faults_.refuse)) {
      kafka::Report& report = refused.emplace_back();
      report.lane = index;
      report.partition = partition;
      report.failure = random_.one_of({Failure::unauthorized, Failure::rejected});
      report.detail = "refused by the simulation";
      report.event = events.pop_front();
      event.answered = true;
      continue;
    }
    room -= 1;
    event.in_client = true;
    event.partition = partition;
    lane.unpolled += 1;
    lane.request_events += 1;
    lane.request_bytes += event.record_bytes + kafka::Batcher::kRecordOverheadBytes;
    lane.request.push_back({.event = events.pop_front()});
  }
  truth_.require(lane.request_events <= 1 || lane.request_bytes <= batching_.batch_bytes_max,
                 "a batch keeps to its bound in bytes");
}

void FaultyKafka::hand_out(const kafka::Report& report) {
  const std::uint64_t tag = report.event->tag();
  TrueEvent& event = truth_.events[tag];
  truth_.require(event.in_client, "a report is for an event in the client", tag);
  event.in_client = false;
  lanes_[static_cast<std::size_t>(report.lane)].unpolled -= 1;
  event.answered = report.failure != Failure::too_large;  // Then it may be sent again.
  if (report.failure != Failure::none) return;
  event.offset = report.offset;
  truth_.acknowledge(tag);
}

std::size_t FaultyKafka::poll_reports(std::span<kafka::Report> out) {
  std::size_t most = std::min(out.size(), reports_.size());
  if (most > 0 && random_.chance(faults_.late)) most = random_.below(most + 1);
  for (std::size_t i = 0; i < most; ++i) {
    hand_out(reports_.front());
    out[i] = std::move(reports_.front());
    reports_.pop_front();
  }
  return most;
}

bool FaultyKafka::poll_topic(kafka::TopicView& out) {
  if (views_.empty()) return false;
  out = std::move(views_.front());
  views_.pop_front();
  return true;
}

bool FaultyKafka::poll_notice(kafka::Notice& out) {
  if (notices_.empty()) return false;
  out = std::move(notices_.front());
  notices_.pop_front();
  return true;
}

void FaultyKafka::purge() {
  purged_ = true;
  if (faults_.hangs_at_purge) return;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    for (InFlight& one : lanes_[i].request) report(i, std::move(one), Failure::stopped);
    lanes_[i].request.clear();
  }
}

void FaultyKafka::close(std::vector<kafka::Report>& last) {
  faults_.hangs_at_purge = false;
  purge();
  closed_ = true;
  for (; !reports_.empty(); reports_.pop_front()) {
    hand_out(reports_.front());
    last.push_back(std::move(reports_.front()));
  }
}

bool FaultyKafka::has(std::int32_t partition, std::int64_t offset, std::uint64_t tag) const {
  const auto index = static_cast<std::size_t>(partition);
  return index < partitions_.size() && offset >= 0 &&
         static_cast<std::size_t>(offset) < partitions_[index].log.size() &&
         partitions_[index].log[static_cast<std::size_t>(offset)] == tag;
}

}  // namespace dualstream::simulation
