#include "doctor_report.h"

#include <algorithm>
#include <string_view>

#include "text.h"

namespace dualstream::command {
namespace {

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::warning:
      return "warning";
    case Verdict::failed:
      return "failed";
    case Verdict::skipped:
      return "skipped";
  }
  return "unknown";
}

std::string padded(std::string_view text, std::size_t width) {
  std::string out{text};
  out.resize(std::max(width, out.size() + 1), ' ');
  return out;
}

std::string summary(const DoctorReport& report) {
  const auto count = [&report](Verdict verdict) {
    return std::count_if(report.begin(), report.end(),
                         [verdict](const Finding& each) { return each.verdict == verdict; });
  };
  const auto failed = count(Verdict::failed);
  const auto warnings = count(Verdict::warning);
  if (failed == 0 && warnings == 0) return "All is well.\n";
  std::string text = std::to_string(failed) + " failed, " + std::to_string(warnings) +
                     (warnings == 1 ? " warning." : " warnings.");
  switch (exit_code_of(report)) {
    case ExitCode::unreachable:
      return text + " Events cannot be published.\n";
    case ExitCode::undelivered:
      return text + " Events can be published; notifications cannot.\n";
    default:
      return text + " Events can be published.\n";
  }
}

}  // namespace

ExitCode exit_code_of(const DoctorReport& report) {
  ExitCode code = ExitCode::ok;
  for (const Finding& finding : report) {
    if (finding.verdict != Verdict::failed) continue;
    if (finding.question.starts_with("kafka.")) return ExitCode::unreachable;
    code = ExitCode::undelivered;
  }
  return code;
}

std::string doctor_text(const DoctorReport& report) {
  constexpr std::size_t kVerdictWidth = 9;
  std::size_t width = 0;
  for (const Finding& finding : report) width = std::max(width, finding.question.size() + 2);
  std::string text;
  for (const Finding& finding : report) {
    const bool bad = finding.verdict == Verdict::failed;
    text += padded(bad ? "FAILED" : name(finding.verdict), kVerdictWidth) +
            padded(finding.question, width) + printable(finding.answer) + "\n";
    if (!finding.fix.empty()) {
      text += std::string(kVerdictWidth + width, ' ') + "-> " + printable(finding.fix) + "\n";
    }
  }
  return text + summary(report);
}

std::string doctor_json(const DoctorReport& report) {
  std::string out = R"({"checks":[)";
  for (const Finding& finding : report) {
    if (out.back() != '[') out += ',';
    out += R"({"question":)";
    append_json_string(out, finding.question);
    out += R"(,"verdict":)";
    append_json_string(out, name(finding.verdict));
    out += R"(,"answer":)";
    append_json_string(out, finding.answer);
    out += R"(,"fix":)";
    append_json_string(out, finding.fix);
    out += '}';
  }
  return out + concat({R"(],"exit_code":)", std::to_string(static_cast<int>(exit_code_of(report))),
                       "}\n"});
}

}  // namespace dualstream::command
