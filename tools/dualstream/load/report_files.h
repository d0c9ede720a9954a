// What a run can be written as: JSON for programs, CSV of its course, hgrm for HdrHistogram's
// tools.
#pragma once

#include <string>

#include "exit_code.h"
#include "histogram.h"
#include "load_report.h"
#include "requirement.h"

namespace dualstream::command {

// What became of the requirements, for the JSON and the page.
struct Judgement {
  struct Result {
    std::string text;
    bool met = false;
  };
  std::vector<Result> requirements;
  ExitCode exit_code = ExitCode::ok;
};

[[nodiscard]] Judgement judge(const LoadReport& report,
                              const std::vector<Requirement>& requirements);

// One object; docs/load.md says what its members mean.
[[nodiscard]] std::string report_json(const LoadReport& report, const Judgement& judgement);

// A row for each interval, with a head.
[[nodiscard]] std::string report_csv(const LoadReport& report);

// A percentile distribution in milliseconds, in HdrHistogram's text format.
[[nodiscard]] std::string report_hgrm(const Histogram& histogram);

// One interval of a run: what the CSV and the page's plots are made of.
struct IntervalRow {
  double seconds = 0;  // Of its start.
  std::uint64_t meant = 0;
  std::uint64_t sent = 0;
  double lag_max_ms = 0;
  LatencyCell acknowledged;
  LatencyCell notified;
  std::uint64_t memory_bytes = 0;  // 0 where nobody looked.
};
struct RunCourse {
  double interval_seconds = 0;
  std::vector<IntervalRow> rows;
};
[[nodiscard]] RunCourse course_of(const LoadReport& report);

}  // namespace dualstream::command
