#include "help.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "option_table.h"
#include "text.h"

namespace dualstream::command {
namespace {

constexpr std::size_t kHelpColumn = 32;
constexpr std::size_t kLineWidth = 100;

// Appends words from column `kHelpColumn` on, given that the line is at `column`.
void append_wrapped(std::string& text, std::size_t column, std::string_view words) {
  if (column + 2 > kHelpColumn) {
    text += '\n';
    column = 0;
  }
  text.append(kHelpColumn - column, ' ');
  column = kHelpColumn;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (column > kHelpColumn && column + 1 + end > kLineWidth) {
      text.append("\n").append(kHelpColumn, ' ');
      column = kHelpColumn;
    } else if (column > kHelpColumn) {
      text += ' ';
      ++column;
    }
    text.append(words.substr(0, end));
    column += end;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  text += '\n';
}

void append_option(std::string& text, const OptionInfo& option) {
  std::string left = "  ";
  left.append((option.places & kFlag) != 0 ? flag_name(option) : variable_name(option));
  if (!option.value.empty() && (option.places & kFlag) != 0) left.append(" ").append(option.value);
  std::string words{option.help};
  const std::string standard = default_text(option);
  if (standard == "required") {
    words.append(" Required.");
  } else if (standard != "none" && !option.value.empty()) {
    words.append(" [").append(standard).append("]");
  }
  text.append(left);
  append_wrapped(text, left.size(), words);
}

// A | in a cell would end it.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code_or_dash(bool is_there, const std::string& text) {
  return is_there ? concat({"`", text, "`"}) : "-";
}

std::string default_cell(const OptionInfo& option) {
  const std::string standard = default_text(option);
  return standard == "required" || standard == "none" ? standard : concat({"`", standard, "`"});
}

}  // namespace

std::string program_help(std::span<const Command> commands) {
  std::string text =
      "dualstream publishes each event durably to Kafka, then as a light notification to Redis\n"
      "Pub/Sub.\n\n"
      "Usage: dualstream COMMAND [OPTION...]\n\nCommands:\n";
  for (const Command& command : commands) {
    const std::string left = std::string{"  "}.append(command.name);
    text.append(left);
    append_wrapped(text, left.size(), command.summary);
  }
  return text +
         "\n`dualstream COMMAND --help` tells what a command takes; `dualstream --version` tells "
         "the versions.\n";
}

std::string command_help(const Command& command) {
  std::string text = "Usage: dualstream ";
  text.append(command.name).append(" [OPTION...] ").append(command.operands).append("\n\n");
  text.append(command.about);
  std::string_view group;
  for (const OptionInfo& option : options()) {
    if ((option.commands & command.bit) == 0) continue;
    if (option.group != group) {
      group = option.group;
      text.append("\n").append(group).append(":\n");
    }
    append_option(text, option);
  }
  return text.append("\n").append(command.notes);
}

std::string options_markdown() {
  std::string text;
  std::string_view group;
  for (const OptionInfo& option : options()) {
    if (option.group != group) {
      group = option.group;
      text.append(text.empty() ? "" : "\n").append("## ").append(group).append("\n\n");
      text.append("| flag | environment variable | config key | default | field | meaning |\n");
      text.append("|---|---|---|---|---|---|\n");
    }
    const std::string flag =
        concat({flag_name(option), option.value.empty() ? "" : " ", option.value});
    const std::array<std::string, 6> cells{
        code_or_dash((option.places & kFlag) != 0, flag),
        code_or_dash((option.places & kVariable) != 0, variable_name(option)),
        code_or_dash((option.places & kKey) != 0, std::string{option.name}),
        default_cell(option),
        code_or_dash(!option.field.empty(), std::string{option.field}),
        cell(option.help),
    };
    for (const std::string& each : cells) text.append("| ").append(each).append(" ");
    text.append("|\n");
  }
  return text;
}

}  // namespace dualstream::command
