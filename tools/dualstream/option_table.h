// The table of options: flags, environment variables, config keys, --help and docs/options.md all
// come from it.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "option_value.h"
#include "settings.h"

namespace dualstream::command {

// Bits of OptionInfo::commands: which subcommands take an option. The others ignore its variable
// and its key, so that one config file serves them all.
inline constexpr unsigned kForIngest = 1;
inline constexpr unsigned kForLoad = 2;
inline constexpr unsigned kForTail = 1U << 6;
inline constexpr unsigned kForFetch = 1U << 7;
inline constexpr unsigned kForReplay = 1U << 8;
// All that read history.
inline constexpr unsigned kForReading = kForTail | kForFetch | kForReplay;
inline constexpr unsigned kForDoctor = 1U << 15;
// These take no options.
inline constexpr unsigned kForCompletion = 1U << 16;
inline constexpr unsigned kForMan = 1U << 17;

// Bits of OptionInfo::places: where an option may be given.
inline constexpr unsigned kFlag = 1;
inline constexpr unsigned kVariable = 2;
inline constexpr unsigned kKey = 4;
inline constexpr unsigned kEverywhere = kFlag | kVariable | kKey;

struct OptionInfo {
  std::string_view name;  // "queue-events": --queue-events, DUALSTREAM_QUEUE_EVENTS, queue-events.
  unsigned commands;
  unsigned places;
  std::string_view group;  // A heading in --help and in the docs.
  std::string_view value;  // What stands for the value in --help; empty for a switch.
  std::string_view field;  // The field of dualstream::Options, or empty.
  std::string_view help;   // One or two sentences.
  Target (*target)(Settings& settings);
};

// In the order of --help; two options of one name are of different commands, and only the first may
// be a variable and a key; groups stand together.
[[nodiscard]] std::span<const OptionInfo> options() noexcept;

[[nodiscard]] std::string flag_name(const OptionInfo& option);
[[nodiscard]] std::string variable_name(const OptionInfo& option);

// What stands in the help and the docs for the default: "5s", "none", "required".
[[nodiscard]] std::string default_text(const OptionInfo& option);

// The place of the option called `name` in options().
[[nodiscard]] std::optional<std::size_t> find_option(std::string_view name);

// The names by which options are known at `place`, as they are written there.
[[nodiscard]] std::vector<std::string> known_names(unsigned place);

}  // namespace dualstream::command
