// The rivals that do both streams: the pattern as it is usually pasted, and as a careful team would
// write it, both with librdkafka and hiredis.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "workload.h"

namespace dualstream::bench {

enum class Style : std::uint8_t {
  // One produce and one PUBLISH at a time, each waited for before the next.
  one_by_one,
  // Produce per message with librdkafka's own batching, and one PUBLISH, waited for, as soon as it
  // was taken: what is pasted most often.
  as_pasted,
  // The PUBLISH of each event after its acknowledgement, 128 in a pipeline.
  modern,
};

// Thread: one.
class Pasted {
 public:
  Pasted(const std::string& brokers, const std::string& topic, const std::string& redis,
         Style style, int linger_ms);
  ~Pasted();
  Pasted(const Pasted&) = delete;
  Pasted& operator=(const Pasted&) = delete;

  // Publishes the first `count` events and waits for all answers; returns how many Kafka
  // acknowledged.
  std::size_t publish(const Workload& workload, std::size_t count);

 private:
  struct Clients;
  const std::unique_ptr<Clients> clients_;
};

}  // namespace dualstream::bench
