// Command is one subcommand of the program; each has a file of its own and a place in commands().
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exit_code.h"
#include "resolve.h"

namespace dualstream::command {

struct Command {
  std::string_view name;
  unsigned bit;               // Its bit in OptionInfo::commands.
  std::string_view summary;   // One line, for `dualstream --help`.
  std::string_view operands;  // "[FILE...]"; empty for a command that takes none.
  std::string_view about;     // The head of its own --help, above the options.
  std::string_view notes;     // And its end: examples, exit codes.
  // What has to hold of the options together, before anything is opened.
  Status (*check)(const Configuration& configuration);
  // Returns what the program ends with. May throw what the standard library throws.
  ExitCode (*run)(const Configuration& configuration, const std::vector<std::string>& operands);
};

extern constinit const Command kIngest;
extern constinit const Command kTail;
extern constinit const Command kFetch;
extern constinit const Command kReplay;
extern constinit const Command kLoad;
extern constinit const Command kDoctor;
extern constinit const Command kCompletion;
extern constinit const Command kMan;

// All of them, in the order of --help.
[[nodiscard]] std::span<const Command> commands() noexcept;

}  // namespace dualstream::command
