// dualstream: finds the subcommand, settles its options and runs it.
#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include "command_line.h"
#include "commands.h"
#include "dualstream/version.h"
#include "help.h"
#include "print_config.h"
#include "resolve.h"
#include "standard_output.h"

namespace dualstream::command {
namespace {

// Program and libraries, a line each.
std::string version_text() {
  std::string text = "dualstream " DUALSTREAM_VERSION "\n";
  for (const auto& [library, version] : library_versions()) {
    text.append(library).append(" ").append(version).append("\n");
  }
  return text;
}

std::vector<std::string> environment() {
  std::vector<std::string> texts;
  for (char** text = environ; text != nullptr && *text != nullptr; ++text) {
    texts.emplace_back(*text);
  }
  return texts;
}

ExitCode usage_failed(const Status& status, const Command* command) {
  const std::string help = command == nullptr
                               ? "dualstream --help"
                               : "dualstream " + std::string{command->name} + " --help";
  std::fprintf(stderr, "dualstream: %s\n`%s` tells what there is.\n", status.message.c_str(),
               help.c_str());
  return ExitCode::usage;
}

ExitCode run(std::span<char* const> arguments) {
  CommandLine line;
  if (const Status status = parse_command_line(arguments, commands(), line); !status.ok()) {
    return usage_failed(status, line.command);
  }
  if (line.version) return write_stdout(version_text());
  if (line.command == nullptr) return write_stdout(program_help(commands()));
  if (line.help) return write_stdout(command_help(*line.command));

  Configuration configuration;
  if (const Status status = resolve(line.flags, environment(), configuration); !status.ok()) {
    return usage_failed(status, line.command);
  }
  if (configuration.settings.print_config) {
    const ExitCode written = write_stdout(config_text(*line.command, configuration));
    if (written != ExitCode::ok) return written;
  }
  if (const Status status = line.command->check(configuration); !status.ok()) {
    return usage_failed(status, line.command);
  }
  if (configuration.settings.print_config) return ExitCode::ok;
  return line.command->run(configuration, line.operands);
}

}  // namespace
}  // namespace dualstream::command

int main(int argc, char** argv) {
  namespace command = dualstream::command;
  // librdkafka's buffers come and go by the megabyte. Kept, they need no fresh pages each time.
  // NOLINTBEGIN(concurrency-mt-unsafe): there is no other thread yet.
  ::mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
  // NOLINTEND(concurrency-mt-unsafe)
  // A reader that has gone is an error of a write like any other.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return static_cast<int>(command::run({argv + (argc > 0 ? 1 : 0), argv + argc}));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dualstream: the system refused something: %s\n", error.what());
    return static_cast<int>(command::ExitCode::undelivered);
  }
}
