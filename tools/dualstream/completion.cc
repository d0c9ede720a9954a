// dualstream completion: prints the script by which a shell completes the command's words.
#include <cstdio>

#include "commands.h"
#include "completion_script.h"
#include "option_table.h"
#include "standard_output.h"
#include "text.h"

namespace dualstream::command {
namespace {

Status check(const Configuration& /*configuration*/) { return {}; }

ExitCode run(const Configuration& /*configuration*/, const std::vector<std::string>& operands) {
  const std::string shell = operands.size() == 1 ? operands.front() : std::string{};
  if (const auto script = completion_script(shell, commands()); script) {
    return write_stdout(*script);
  }
  std::fprintf(stderr, "dualstream: completion takes one of bash, zsh and fish%s%s\n",
               shell.empty() ? "" : ", not ", printable(shell).c_str());
  return ExitCode::usage;
}

}  // namespace

constinit const Command kCompletion{
    .name = "completion",
    .bit = kForCompletion,
    .summary = "Print the script by which a shell completes the words of dualstream.",
    .operands = "bash|zsh|fish",
    .about = R"(Prints a script that completes commands, flags, values and files in the shell named.
)",
    .notes = R"(Examples:
  . <(dualstream completion bash)
  dualstream completion bash > ~/.local/share/bash-completion/completions/dualstream
  dualstream completion zsh > "${fpath[1]}/_dualstream"
  dualstream completion fish > ~/.config/fish/completions/dualstream.fish
)",
    .check = check,
    .run = run,
};

}  // namespace dualstream::command
