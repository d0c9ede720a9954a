// await_topic() waits until the cluster has answered for the topic.
#pragma once

#include <algorithm>
#include <string>

#include "base/time.h"
#include "dualstream/options.h"
#include "kafka/kafka_reader.h"

namespace dualstream::subscriber {

// ok, or `unreachable` after options.open_timeout, or at once what the cluster says.
[[nodiscard]] inline Status await_topic(kafka::KafkaReader& reader, const KafkaOptions& options) {
  constexpr std::chrono::milliseconds kSlice{250};
  const base::TimePoint deadline = base::Clock::now() + options.open_timeout;
  Status status = Status::error(StatusCode::unreachable, "no time to ask");
  while (base::Clock::now() < deadline) {
    std::int32_t count = 0;
    status = reader.partitions(kSlice, count);
    if (status.code != StatusCode::unreachable) break;
  }
  if (status.ok()) return status;
  status.message = "kafka.brokers: " + options.brokers + ": " + status.message +
                   "; check the address, the topic's name and the credentials";
  return status;
}

}  // namespace dualstream::subscriber
