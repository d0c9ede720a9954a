// dualstream fetch: the event that a notification speaks of, by partition and offset.
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "dualstream/history.h"
#include "moment.h"
#include "option_table.h"
#include "standard_output.h"
#include "update_text.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;

ExitCode refuse(ExitCode code, const std::string& message) {
  std::fprintf(stderr, "dualstream: %s\n", message.c_str());
  return code;
}

// Asks until the record is there or it is sure that it is not.
Status find(History& history, const HistoryRange& range, milliseconds timeout,
            std::optional<Update>& found) {
  const std::string place = std::to_string(range.partition) + ":" + std::to_string(range.from);
  HistoryBounds bounds;
  if (Status status = history.bounds(range.partition, timeout, bounds); !status.ok()) return status;
  if (range.from < bounds.begin || range.from >= bounds.end) {
    return Status::error(StatusCode::rejected,
                         place + " is not in Kafka: the partition holds offsets " +
                             std::to_string(bounds.begin) + " to " +
                             std::to_string(bounds.end - 1));
  }
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  HistoryPart part{.updates = {}, .next = range.from, .begin = -1};
  while (part.next == range.from && part.begin < 0 && std::chrono::steady_clock::now() < deadline) {
    if (Status status = history.read(range, milliseconds{500}, part); !status.ok()) return status;
  }
  if (!part.updates.empty()) found = std::move(part.updates.front());
  if (found) return {};
  return Status::error(StatusCode::rejected,
                       place + " holds no event: it was deleted or compacted away");
}

ExitCode run(const Configuration& configuration, const std::vector<std::string>& operands) {
  const Settings& settings = configuration.settings;
  const auto place = operands.size() == 2
                         ? parse_place(operands[0] + ":" + operands[1])
                         : (operands.size() == 1 ? parse_place(operands[0]) : std::nullopt);
  if (!place) {
    return refuse(ExitCode::usage, "fetch needs a partition and an offset, as in `fetch 3 1201`");
  }
  std::unique_ptr<History> history;
  if (const Status status = History::open(settings.engine.kafka, settings.engine.json, history);
      !status.ok()) {
    return refuse(
        status.code == StatusCode::invalid_options ? ExitCode::usage : ExitCode::unreachable,
        with_origin(status.message, configuration));
  }
  std::optional<Update> found;
  const Status status =
      find(*history, {.partition = place->first, .from = place->second, .to = place->second + 1},
           settings.engine.kafka.open_timeout, found);
  if (!status.ok()) {
    return refuse(
        status.code == StatusCode::rejected ? ExitCode::undelivered : ExitCode::unreachable,
        status.message);
  }
  return write_stdout(settings.json ? update_json(*found) : found->payload + "\n");
}

Status check(const Configuration& configuration) {
  Status status = validate(configuration.settings.engine);
  status.message = with_origin(status.message, configuration);
  return status;
}

}  // namespace

constinit const Command kFetch{
    .name = "fetch",
    .bit = kForFetch,
    .summary = "Print the event at a partition and offset, as a notification names them.",
    .operands = "PARTITION OFFSET",
    .about =
        R"(Prints the payload of the event that lies there, byte for byte, and a newline. With --json an
object that also has its id, type and source.
)",
    .notes = R"(Examples:
  dualstream fetch --brokers localhost:9092 --topic events 3 1201

Exit codes:
    0  It was printed.
    1  There is no event at that place (any more).
    2  A flag, a variable or a config file cannot be used.
    3  Kafka cannot be reached, refuses the credentials or has no such topic.
    6  stdout could not be written.
)",
    .check = check,
    .run = run,
};

}  // namespace dualstream::command
