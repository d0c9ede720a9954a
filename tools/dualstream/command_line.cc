#include "command_line.h"

#include <algorithm>
#include <optional>

#include <CLI/CLI.hpp>

#include "nearest.h"
#include "option_table.h"
#include "text.h"

namespace dualstream::command {
namespace {

Status usage_error(std::string message) {
  return Status::error(StatusCode::invalid_options, std::move(message));
}

void add_options(CLI::App& app, const Command& command, CommandLine& line) {
  for (std::size_t at = 0; at < options().size(); ++at) {
    const OptionInfo& option = options()[at];
    if ((option.commands & command.bit) == 0 || (option.places & kFlag) == 0) continue;
    const std::string flag = flag_name(option);
    if (option.value.empty()) {
      // Negative for `--flag=false`.
      app.add_flag_function(flag, [&line, at](std::int64_t count) {
        line.flags.push_back({.option = at, .values = {count > 0 ? "true" : "false"}});
      });
      continue;
    }
    const auto take = [&line, at](const CLI::results_t& values) {
      line.flags.push_back({.option = at, .values = values});
      return true;
    };
    // Whether an option may be repeated is settled where its value is set.
    app.add_option(flag, take)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

// Of a flag whose value was forgotten, CLI11 takes the next flag for the value.
Status check_values(const CommandLine& line) {
  const std::vector<std::string> known = known_names(kFlag);
  for (const GivenFlag& given : line.flags) {
    for (const std::string& value : given.values) {
      const std::string name = value.substr(0, value.find('='));
      if (std::find(known.begin(), known.end(), name) == known.end()) continue;
      const std::string flag = flag_name(options()[given.option]);
      return usage_error(concat({flag, " needs a value, and `", value,
                                 "` is a flag; if you mean it, write ", flag, "=", value}));
    }
  }
  return {};
}

// Also when it is a flag of other commands.
Status unknown_flag(const std::string& name, const Command& command,
                    std::span<const Command> commands) {
  std::vector<std::string> known{"--help"};
  unsigned elsewhere = 0;
  for (const OptionInfo& option : options()) {
    if ((option.places & kFlag) == 0) continue;
    std::string flag = flag_name(option);
    if ((option.commands & command.bit) == 0) {
      if (flag == name) elsewhere |= option.commands;
      continue;
    }
    known.push_back(std::move(flag));
  }
  std::string others;
  for (const Command& other : commands) {
    if ((other.bit & elsewhere) == 0) continue;
    others.append(others.empty() ? "" : ", ").append(other.name);
  }
  const std::string nearest = did_you_mean(name, known);
  if (others.empty()) return usage_error(concat({"unknown flag `", name, "`", nearest}));
  return usage_error(
      concat({"`", name, "` is a flag of ", others, ", not of ", command.name, nearest}));
}

// What is left of the words is operands, or a flag that the command does not know.
Status take_operands(const std::vector<std::string>& rest, std::span<const Command> commands,
                     const Command& command, CommandLine& line) {
  for (const std::string& word : rest) {
    if (word.size() > 1 && word.starts_with('-')) {
      return unknown_flag(word.substr(0, word.find('=')), command, commands);
    }
    line.operands.push_back(word);
  }
  return {};
}

// `words` are those before a "--", behind which everything is an operand.
Status parse_words(std::vector<std::string> words, std::span<const Command> commands,
                   const Command& command, CommandLine& line) {
  CLI::App app;
  app.set_help_flag();
  app.add_flag("-h,--help", line.help);
  app.allow_extras();
  add_options(app, command, line);

  std::reverse(words.begin(), words.end());  // CLI11 takes them last first.
  std::optional<std::string> wrong;
  try {
    app.parse(words);
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();
    wrong = what.substr(0, what.find(':')) + " needs a value";
  } catch (const CLI::ParseError& error) {
    wrong = error.what();
  }
  if (line.help) return {};
  if (Status status = take_operands(app.remaining(), commands, command, line); !status.ok()) {
    return status;
  }
  if (wrong) return usage_error(*wrong);
  return check_values(line);
}

Status parse_arguments(std::span<char* const> arguments, std::span<const Command> commands,
                       const Command& command, CommandLine& line) {
  std::vector<std::string> words{arguments.begin(), arguments.end()};
  const auto dashes = std::find(words.begin(), words.end(), "--");
  Status status = parse_words({words.begin(), dashes}, commands, command, line);
  if (!status.ok() || line.help) return status;
  if (dashes != words.end()) line.operands.insert(line.operands.end(), dashes + 1, words.end());
  if (!line.operands.empty() && command.operands.empty()) {
    return usage_error("`" + line.operands.front() + "` is too much: " + std::string{command.name} +
                       " takes no operands");
  }
  return status;
}

}  // namespace

Status parse_command_line(std::span<char* const> arguments, std::span<const Command> commands,
                          CommandLine& line) {
  if (arguments.empty()) {
    line.help = true;
    return {};
  }
  const std::string first = arguments.front();
  line.help = first == "--help" || first == "-h" || first == "help";
  line.version = first == "--version" || first == "version";
  if (line.help || line.version) return {};
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [&first](const Command& c) { return c.name == first; });
  if (found == commands.end()) {
    std::vector<std::string> known{"--help", "--version"};
    for (const Command& command : commands) known.emplace_back(command.name);
    if (first.starts_with('-')) {
      return usage_error("the command comes first, as in `dualstream " +
                         std::string{commands.front().name} + " " + first + "`" +
                         did_you_mean(first, known));
    }
    return usage_error("unknown command `" + first + "`" + did_you_mean(first, known));
  }
  line.command = &*found;
  return parse_arguments(arguments.subspan(1), commands, *found, line);
}

}  // namespace dualstream::command
