// LibrdkafkaReader is KafkaReader on librdkafka's simple consumer: no group, nothing committed.
#pragma once

#include <memory>

#include "dualstream/options.h"
#include "kafka/kafka_reader.h"

namespace dualstream::kafka {

// Makes one; it connects in the background. Read: brokers, topic and properties.
[[nodiscard]] Status make_librdkafka_reader(const KafkaOptions& options,
                                            std::unique_ptr<KafkaReader>& reader);

}  // namespace dualstream::kafka
