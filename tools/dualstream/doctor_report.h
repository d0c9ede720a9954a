// DoctorReport is what `dualstream doctor` found: one Finding a question, in the order of the flow.
#pragma once

#include <string>
#include <vector>

#include "exit_code.h"

namespace dualstream::command {

enum class Verdict : std::uint8_t {
  ok,
  warning,  // It works, and something should be known.
  failed,
  skipped,  // It could not be asked, because of what failed before it.
};

struct Finding {
  Verdict verdict = Verdict::ok;
  std::string question;  // "kafka.connect": what it is about comes first.
  std::string answer;    // What was found, a phrase or a sentence; never a secret.
  std::string fix{};     // What to do; empty where there is nothing to do.
};

using DoctorReport = std::vector<Finding>;

// `unreachable` if anything of Kafka failed, `undelivered` if only other things did, else `ok`.
[[nodiscard]] ExitCode exit_code_of(const DoctorReport& report);

// A line a finding, its fix below it, and a sentence that sums them up.
[[nodiscard]] std::string doctor_text(const DoctorReport& report);

// One JSON object in one line.
[[nodiscard]] std::string doctor_json(const DoctorReport& report);

}  // namespace dualstream::command
