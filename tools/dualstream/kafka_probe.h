// What `dualstream doctor` asks of Kafka. Nothing is published.
#pragma once

#include "doctor_report.h"
#include "dualstream/options.h"

namespace dualstream::command {

// Appends: resolve, connect, open (what Engine::open() says: protocol, credentials, topic), topic
// (partitions, replicas, leaders), limits.
void check_kafka(const Options& options, DoctorReport& report);

}  // namespace dualstream::command
