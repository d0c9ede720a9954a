#include "system_probe.h"

#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "dualstream/version.h"
#include "text.h"
#include "units.h"

namespace dualstream::command {
namespace {

// Of the engine, of librdkafka with some brokers, of inputs and outputs.
constexpr rlim_t kDescriptorsMin = 256;

Finding descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return {.verdict = Verdict::skipped, .question = "system.descriptors", .answer = "not told"};
  }
  Finding finding{.question = "system.descriptors",
                  .answer = limit.rlim_cur == RLIM_INFINITY
                                ? "unlimited"
                                : std::to_string(limit.rlim_cur) + " may be open"};
  if (limit.rlim_cur < kDescriptorsMin) {
    finding.verdict = Verdict::warning;
    finding.fix = "Raise the limit (ulimit -n, LimitNOFILE=): each broker takes one or two.";
  }
  return finding;
}

Finding memory(const Options& options) {
  const auto machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t bound = memory_bytes_max(options);
  Finding finding{.question = "system.memory",
                  .answer = concat({"at most ", about_bytes_text(static_cast<double>(bound)),
                                    " while Kafka or Redis is away, of ",
                                    about_bytes_text(static_cast<double>(machine))})};
  if (bound > machine / 2) {
    finding.verdict = Verdict::warning;
    finding.fix = "Lower --queue-bytes and --notification-bytes, or use a larger machine.";
  }
  return finding;
}

Finding libraries() {
  std::string text = "dualstream " DUALSTREAM_VERSION;
  for (const auto& [library, version] : library_versions()) {
    text += concat({", ", library, " ", version});
  }
  return {.question = "system.libraries", .answer = text};
}

}  // namespace

void check_system(const Options& options, DoctorReport& report) {
  report.push_back(descriptors());
  report.push_back(memory(options));
  report.push_back(libraries());
}

}  // namespace dualstream::command
