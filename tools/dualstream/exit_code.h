// ExitCode is what the command ends with; docs/ingest.md, docs/load.md and --help list the same.
#pragma once

namespace dualstream::command {

// When several apply, the smallest above 0 is taken.
enum class ExitCode : int {
  ok = 0,
  undelivered = 1,  // Events failed, or lines that were read could not be published.
  usage = 2,        // A flag, a variable, a file that it names cannot be used. Nothing was done.
  // Kafka cannot be reached, refuses us, has no such topic, or the engine cannot start for another
  // reason. Nothing was done.
  unreachable = 3,
  too_many_bad = 4,   // More bad lines than --max-bad.
  input_failed = 5,   // An input could not be opened or read.
  output_failed = 6,  // --bad-file, --dead-letter, --checkpoint or stdout could not be written.
  unmet = 7,          // A --require does not hold.
  interrupted = 130,  // A second signal: ended at once.
};

}  // namespace dualstream::command
