// What `dualstream doctor` asks of Redis. One notification of nothing goes to the channel of the
// source "dualstream-doctor".
#pragma once

#include "doctor_report.h"
#include "dualstream/options.h"

namespace dualstream::command {

// Appends: resolve, connect, login, publish, subscribe (the round trip), clock. Nothing without an
// address.
void check_redis(const Options& options, DoctorReport& report);

}  // namespace dualstream::command
