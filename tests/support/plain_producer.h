// PlainProducer is librdkafka without the engine: it proves the test support, and gives a test a
// second writer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dualstream/outcome.h"
#include "support/verifying_events.h"

namespace dualstream::testing {

// Idempotent, acks=all, murmur2 partitions.
//
// Thread: one thread at a time.
class PlainProducer {
 public:
  PlainProducer(const std::string& brokers, const std::string& topic);
  PlainProducer(const PlainProducer&) = delete;
  PlainProducer& operator=(const PlainProducer&) = delete;
  ~PlainProducer();

  // Waits for room.
  void send(const VerifyingEvent& event);

  // Waits for every answer and returns those since the last call; `detail` and `event` are empty.
  // Throws std::runtime_error when that takes longer than 60 s.
  [[nodiscard]] std::vector<Outcome> finish();

 private:
  struct Client;

  const std::unique_ptr<Client> client_;
};

}  // namespace dualstream::testing
