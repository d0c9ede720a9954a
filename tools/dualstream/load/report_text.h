// report_text() is what a run prints at its end.
#pragma once

#include <string>

#include "load_report.h"

namespace dualstream::command {

// In the form of Kafka's own kafka-producer-perf-test, of the acknowledgements; a line.
[[nodiscard]] std::string summary_line(const LoadReport& report);

// The summary line, the three clocks, the ledger and the verdict.
[[nodiscard]] std::string report_text(const LoadReport& report);

}  // namespace dualstream::command
