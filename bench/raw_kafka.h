// RawKafka is the rival that sets the ceiling: librdkafka's fastest way, with nothing of ours
// around it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "workload.h"

namespace dualstream::bench {

// An idempotent producer with acks=all that hands over batches of 1,000 grouped by partition,
// without copies, and polls its reports as events.
//
// Thread: one.
class RawKafka {
 public:
  RawKafka(const std::string& brokers, const std::string& topic, int linger_ms);
  ~RawKafka();
  RawKafka(const RawKafka&) = delete;
  RawKafka& operator=(const RawKafka&) = delete;

  // Publishes all of `workload` and waits until Kafka has acknowledged it; returns how many it did.
  std::size_t publish(const Workload& workload);

  // Publishes all of it at so many events a second; `latencies` gets, for each, the seconds from
  // when it was due to its acknowledgement.
  std::size_t publish_paced(const Workload& workload, double rate, std::vector<double>& latencies);

 private:
  struct Client;
  const std::unique_ptr<Client> client_;
};

// A topic of this name with so many partitions, made if it is not there.
void make_topic(const std::string& brokers, const std::string& topic, int partitions);

}  // namespace dualstream::bench
