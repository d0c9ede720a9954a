// dualstream man: prints manual pages.
#include <algorithm>
#include <cstdio>

#include "commands.h"
#include "man_page.h"
#include "nearest.h"
#include "option_table.h"
#include "standard_output.h"

namespace dualstream::command {
namespace {

Status check(const Configuration& /*configuration*/) { return {}; }

ExitCode run(const Configuration& /*configuration*/, const std::vector<std::string>& operands) {
  if (operands.empty()) return write_stdout(program_page(commands()));
  const auto found =
      std::find_if(commands().begin(), commands().end(),
                   [&operands](const Command& each) { return each.name == operands.front(); });
  if (operands.size() == 1 && found != commands().end()) return write_stdout(command_page(*found));
  std::vector<std::string> known;
  for (const Command& each : commands()) known.emplace_back(each.name);
  std::fprintf(stderr, "dualstream: man takes the name of one command%s\n",
               did_you_mean(operands.front(), known).c_str());
  return ExitCode::usage;
}

}  // namespace

constinit const Command kMan{
    .name = "man",
    .bit = kForMan,
    .summary = "Print the manual page of dualstream, or of one of its commands.",
    .operands = "[COMMAND]",
    .about =
        R"(Prints a manual page, in the language of man(7): without COMMAND that of the whole program.
)",
    .notes = R"(Examples:
  dualstream man ingest | man -l -
  dualstream man > /usr/local/share/man/man1/dualstream.1
)",
    .check = check,
    .run = run,
};

}  // namespace dualstream::command
