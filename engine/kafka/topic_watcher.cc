#include "kafka/topic_watcher.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace dualstream::kafka {
namespace {

using std::chrono::milliseconds;

// A topic that is usable is looked at as often as the client refreshes its own view; one that is
// not, soon again.
constexpr milliseconds kAskAgainWhenUsable{5'000};
constexpr milliseconds kAskAgainWhenNot{250};
// stop() waits for a question under way, so it has to be short.
constexpr milliseconds kAskTimeout{500};

Status topic_status(const rd_kafka_metadata_topic_t& topic) {
  const std::string name = topic.topic;
  switch (failure_of(topic.err)) {
    case Failure::none:
      break;
    case Failure::unknown_topic:
      return Status::error(
          StatusCode::unknown_topic,
          "kafka.topic: the cluster has no topic `" + name + "`; create it, or correct the name",
          "kafka.topic");
    case Failure::unauthorized:
      return Status::error(StatusCode::unauthorized,
                           "kafka.topic: this principal may not use `" + name +
                               "`; grant it Describe and Write on the topic",
                           "kafka.topic");
    default:
      return Status::error(
          StatusCode::unreachable,
          "kafka.topic: `" + name + "` is not ready: " + rd_kafka_err2str(topic.err),
          "kafka.topic");
  }
  if (topic.partition_cnt == 0) {
    return Status::error(StatusCode::unreachable,
                         "kafka.topic: `" + name + "` has no partitions yet", "kafka.topic");
  }
  return {};
}

}  // namespace

TopicAnswer ask_for_topic(rd_kafka_t& client, rd_kafka_topic_t& topic, base::Duration timeout) {
  const auto ms =
      std::max<std::int64_t>(1, std::chrono::duration_cast<milliseconds>(timeout).count());
  const rd_kafka_metadata_t* raw = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(&client, 0, &topic, &raw, static_cast<int>(ms));
  const Owned<const rd_kafka_metadata_t> metadata{raw};
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {Status::error(StatusCode::unreachable, rd_kafka_err2str(error)), {}};
  }
  if (metadata->topic_cnt != 1) {
    return {Status::error(StatusCode::unreachable, "the cluster answered for another topic"), {}};
  }
  const rd_kafka_metadata_topic_t& answer = metadata->topics[0];
  TopicAnswer result{topic_status(answer), {}};
  if (!result.status.ok()) return result;
  result.view.connections.assign(static_cast<std::size_t>(answer.partition_cnt), -1);
  for (int i = 0; i < answer.partition_cnt; ++i) {
    const rd_kafka_metadata_partition_t& partition = answer.partitions[i];
    if (partition.id >= 0 && partition.id < answer.partition_cnt) {
      result.view.connections[static_cast<std::size_t>(partition.id)] = partition.leader;
    }
  }
  return result;
}

std::size_t ask_for_message_bytes_max(rd_kafka_t& client, rd_kafka_topic_t& topic,
                                      base::Duration timeout) {
  const auto ms =
      std::max<std::int64_t>(1, std::chrono::duration_cast<milliseconds>(timeout).count());
  const Owned<rd_kafka_AdminOptions_t> options{
      rd_kafka_AdminOptions_new(&client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS)};
  std::array<char, 128> error{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(ms), error.data(),
                                            error.size());
  const Owned<rd_kafka_ConfigResource_t> question{
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, rd_kafka_topic_name(&topic))};
  const Owned<rd_kafka_queue_t> answers{rd_kafka_queue_new(&client)};
  rd_kafka_ConfigResource_t* list = question.get();
  rd_kafka_DescribeConfigs(&client, &list, 1, options.get(), answers.get());
  const Owned<rd_kafka_event_t> answer{rd_kafka_queue_poll(answers.get(), static_cast<int>(ms))};
  if (!answer || rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
  const rd_kafka_DescribeConfigs_result_t* result =
      rd_kafka_event_DescribeConfigs_result(answer.get());
  std::size_t count = 0;
  const rd_kafka_ConfigResource_t** resources =
      rd_kafka_DescribeConfigs_result_resources(result, &count);
  if (count != 1) return 0;
  const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(resources[0], &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (std::string_view{rd_kafka_ConfigEntry_name(entries[i])} != "max.message.bytes") continue;
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    return value == nullptr ? 0 : std::strtoull(value, nullptr, 10);
  }
  return 0;
}

TopicWatcher::TopicWatcher(rd_kafka_t& client, rd_kafka_topic_t& topic, base::Parker& consumer,
                           std::atomic<base::TimePoint>& answered_at)
    : client_(client), topic_(topic), consumer_(consumer), answered_at_(answered_at) {}

TopicWatcher::~TopicWatcher() { stop(); }

bool TopicWatcher::start() { return parker_.ok() && worker_.start("ds-topic", *this, parker_); }

void TopicWatcher::stop() {
  stopping_.store(true, std::memory_order_release);
  if (parker_.ok()) parker_.unpark();
  worker_.join();
}

std::optional<TopicAnswer> TopicWatcher::poll() {
  if (!has_changed_.load(std::memory_order_acquire)) return std::nullopt;
  const std::lock_guard lock{mutex_};
  has_changed_.store(false, std::memory_order_relaxed);
  return std::exchange(changed_, std::nullopt);
}

void TopicWatcher::ask_now() {
  asked_.store(true, std::memory_order_release);
  parker_.unpark();
}

std::size_t TopicWatcher::do_work(base::TimePoint now) {
  if (now < ask_at_ && !asked_.exchange(false, std::memory_order_acq_rel)) return 0;
  TopicAnswer answer = ask_for_topic(client_, topic_, kAskTimeout);
  if (answer.status.ok()) {
    answered_at_.store(now, std::memory_order_release);
    answer.view.message_bytes_max = ask_for_message_bytes_max(client_, topic_, kAskTimeout);
    // No answer is no change.
    if (answer.view.message_bytes_max == 0) {
      answer.view.message_bytes_max = last_.view.message_bytes_max;
    }
  }
  ask_at_ = now + (answer.status.ok() ? kAskAgainWhenUsable : kAskAgainWhenNot);
  const bool same = answer.status.code == last_.status.code &&
                    answer.status.message == last_.status.message &&
                    answer.view.connections == last_.view.connections &&
                    answer.view.message_bytes_max == last_.view.message_bytes_max;
  if (same) return 0;
  last_ = answer;
  {
    const std::lock_guard lock{mutex_};
    changed_ = std::move(answer);
    has_changed_.store(true, std::memory_order_release);
  }
  consumer_.unpark();
  return 0;
}

}  // namespace dualstream::kafka
