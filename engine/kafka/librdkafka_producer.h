// LibrdkafkaProducer is KafkaProducer on librdkafka: an idempotent producer whose reports are
// polled as data.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/parker.h"
#include "dualstream/options.h"
#include "kafka/kafka_producer.h"

namespace dualstream::kafka {

// Makes one; it connects in the background. `consumer` is the Kafka worker's parker: it is woken
// when there is something to poll, and outlives the producer. `invalid_options` names the property
// that librdkafka refuses.
[[nodiscard]] Status make_librdkafka_producer(const KafkaOptions& options, base::Parker& consumer,
                                              std::unique_ptr<KafkaProducer>& producer);

// Makes the client of such a producer end with a fatal error, for tests: nothing else does that at
// will.
void raise_fatal_error(KafkaProducer& producer, const char* reason);

// As the library that is linked says itself.
[[nodiscard]] std::string librdkafka_version();

}  // namespace dualstream::kafka
