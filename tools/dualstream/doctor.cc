// dualstream doctor: asks Kafka, Redis and the machine what a run will need, and says what to do.
#include "commands.h"
#include "doctor_report.h"
#include "kafka_probe.h"
#include "option_table.h"
#include "redis_probe.h"
#include "standard_output.h"
#include "system_probe.h"

namespace dualstream::command {
namespace {

Status check(const Configuration& configuration) {
  Status status = validate(configuration.settings.engine);
  status.message = with_origin(status.message, configuration);
  return status;
}

ExitCode run(const Configuration& configuration, const std::vector<std::string>& /*operands*/) {
  const Options& options = configuration.settings.engine;
  DoctorReport report;
  check_kafka(options, report);
  check_redis(options, report);
  check_system(options, report);
  const ExitCode written =
      write_stdout(configuration.settings.json ? doctor_json(report) : doctor_text(report));
  const ExitCode code = exit_code_of(report);
  return code == ExitCode::ok ? written : code;
}

}  // namespace

constinit const Command kDoctor{
    .name = "doctor",
    .bit = kForDoctor,
    .summary = "Ask Kafka, Redis and the machine what a run will need, and say what to do.",
    .operands = "",
    .about =
        R"(Resolves and connects, logs in, reads the topic and its limits, sends one notification through
Redis and waits for it, compares clocks, and looks at the limits of the machine. A line a question,
and below what failed what to do.

No event is published. The notification is of the source `dualstream-doctor`, with the id `doctor`.
Whether the right to write to the topic is there, only an event would show. Kafka does not tell its
clock; it refuses events that are an hour ahead of it.
)",
    .notes =
        R"(Examples:
  dualstream doctor --brokers localhost:9092 --topic events --redis localhost:6379
  dualstream doctor --config ingest.conf --json

Exit codes:
    0  All is well, or there are warnings only.
    1  Something other than Kafka failed: events can be published, notifications cannot.
    2  A flag, a variable or a config file cannot be used.
    3  Kafka cannot be used.
)",
    .check = check,
    .run = run,
};

}  // namespace dualstream::command
