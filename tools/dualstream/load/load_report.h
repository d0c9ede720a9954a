// LoadReport is everything that a run measured; the texts, files and verdicts are made from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dualstream/stats.h"
#include "histogram.h"
#include "latency_recorder.h"
#include "own_process.h"
#include "sender.h"
#include "stop_request.h"
#include "topic_check.h"

namespace dualstream::command {

enum class LoadLoop : std::uint8_t {
  open,    // By a schedule.
  closed,  // By a limit of events in flight.
  free,    // As fast as publish() takes events.
};

// What --verify found.
struct Verification {
  TopicFindings findings;
  std::uint64_t expired = 0;  // Offsets that the topic had dropped before they were read.
  std::string error;          // Why it could not be done; the findings are not whole then.
};

// A value.
struct LoadReport {
  // What the run was asked for: name and text, in order.
  std::vector<std::pair<std::string, std::string>> settings;
  std::uint32_t run = 0;  // In the ids and the payloads of its events.
  LoadLoop loop = LoadLoop::free;
  bool notifications = false;  // Redis was to be told.
  bool subscribed = false;     // Notifications were listened for.

  Sent sent;
  LatencyRecorder acknowledged;
  LatencyRecorder notified;
  std::uint64_t received = 0;             // Notifications, those of the warm-up too.
  std::uint64_t subscription_losses = 0;  // Besides one that could not be made at all.
  Stats stats;
  std::vector<std::pair<std::string, std::uint64_t>> failures;
  std::string first_failure;
  std::optional<Verification> verification;

  double seconds = 0;      // From the end of the warm-up to the last measured acknowledgement.
  double cpu_seconds = 0;  // Of this process, from the first event to the last answer.
  std::uint64_t memory_bytes_peak = 0;
  std::uint64_t memory_bytes_bound = 0;  // Of the engine alone, by memory_bytes_max().
  MemoryOverTime memory_over_time;
  StopReason stop_reason = StopReason::none;
};

// Events that are in Kafka, those of the warm-up left out, in a second.
[[nodiscard]] double events_per_second(const LoadReport& report);
// Their payloads.
[[nodiscard]] double bytes_per_second(const LoadReport& report);

// Whether every event that was accepted is in Kafka and, if that was looked for, really is.
[[nodiscard]] bool all_delivered(const LoadReport& report);

// Who set the pace, if it was not the schedule: a sentence for each that has something to say.
[[nodiscard]] std::vector<std::string> pace_sentences(const LoadReport& report);

// All of the run in sentences, the most important first.
[[nodiscard]] std::vector<std::string> verdict(const LoadReport& report);

}  // namespace dualstream::command
