// Settings are what the options of the command set: the engine's Options and the command's own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dualstream/options.h"

namespace dualstream::command {

enum class ShowProgress : std::uint8_t { automatic, always, never };

// What `dualstream load` does besides what the engine's options say.
struct LoadSettings {
  std::optional<std::uint64_t> rate;    // Events a second. Nothing: as fast as it goes.
  std::optional<std::uint64_t> events;  // Nothing: until `duration` ends it.
  std::chrono::milliseconds duration{10'000};
  std::chrono::milliseconds warmup{0};
  std::chrono::milliseconds ramp{0};
  std::optional<std::uint64_t> in_flight;
  std::size_t payload_bytes = 256;
  std::string payload_file;
  std::size_t sources = 1'000;
  double zipf = 1.0;
  std::size_t seed = 1;
  bool subscribe = false;
  bool verify = false;
  std::vector<std::string> requirements;
  std::string json_file;
  std::string csv_file;
  std::string hgrm_prefix;
  std::string html_file;
};

// What `dualstream tail` shows.
struct TailSettings {
  std::vector<std::string> listen;  // Channels and patterns.
  std::string last;                 // As given, like the next two.
  std::string since;
  std::vector<std::string> from_offset;
  bool payload = false;
  std::optional<std::uint64_t> count;  // Nothing: no end.
};

// What `dualstream replay` replays, and where to. It begins at tail.from_offset or from_time.
struct ReplaySettings {
  std::string from_time;
  std::vector<std::string> to;
  std::vector<std::string> sources;
  std::vector<std::string> types;
  bool to_stdout = false;
  std::string to_topic;
  bool to_redis = false;
  std::vector<std::string> channels{"replay:{source_type}:{source_id}"};
  std::optional<std::uint64_t> rate;  // Nothing: as fast as it goes.
  std::string position_file;
};

struct Settings {
  Options engine;
  LoadSettings load;
  TailSettings tail;
  ReplaySettings replay;

  // Turned into engine.kafka.required_at_open, its opposite.
  bool wait_for_kafka = false;
  // Its first line becomes engine.redis.password.
  std::string redis_password_file;

  std::size_t threads = 1;
  std::optional<std::uint64_t> bad_max;  // Nothing: no limit.
  std::string bad_file;
  std::string dead_letter_file;
  std::string checkpoint_file;
  std::vector<std::string> from_dead_letter;  // In place of operands.
  std::chrono::milliseconds drain_timeout{30'000};
  std::string metrics_address;  // Empty: nothing is served.

  std::string config_file;
  bool print_config = false;
  bool json = false;
  bool quiet = false;
  ShowProgress progress = ShowProgress::automatic;
  LogLevel log_level = LogLevel::info;
};

}  // namespace dualstream::command
