// The ledger is what is said at the end of a run: every line and every event accounted for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dualstream/stats.h"
#include "exit_code.h"
#include "intake.h"
#include "limited_report.h"
#include "stop_request.h"

namespace dualstream::command {

// An input that was not read to its end.
struct UnfinishedInput {
  std::string name;
  std::uint64_t next_line = 1;
};

struct RunReport {
  Stats stats;
  IntakeCounts intake;
  std::uint64_t bad = 0;
  ReasonCounts bad_reasons;
  ReasonCounts failures;
  std::uint64_t unsaved = 0;  // Failed events that no dead-letter file holds.
  double seconds = 0;         // From the first read to the last acknowledgement.
  bool notifications = false;

  StopReason stop_reason = StopReason::none;
  std::vector<UnfinishedInput> unfinished;
  std::vector<std::string> input_errors;
  bool output_failed = false;

  std::optional<std::uint64_t> bad_max;
  std::string bad_file;
  std::string dead_letter_file;
  std::string checkpoint_file;  // Empty also when it could not be saved.
};

[[nodiscard]] ExitCode exit_code_of(const RunReport& report);

// Some lines of figures, then those of verdict().
[[nodiscard]] std::string ledger_text(const RunReport& report);

// Sentences, printable, a line each: whether every event is in Kafka and, if not, what to do next.
[[nodiscard]] std::vector<std::string> verdict(const RunReport& report);

// One JSON object in one line: the same figures, and every counter of the engine by its label.
[[nodiscard]] std::string ledger_json(const RunReport& report);

}  // namespace dualstream::command
