// What `dualstream doctor` asks of the machine.
#pragma once

#include "doctor_report.h"
#include "dualstream/options.h"

namespace dualstream::command {

// Appends: descriptors, memory, libraries.
void check_system(const Options& options, DoctorReport& report);

}  // namespace dualstream::command
