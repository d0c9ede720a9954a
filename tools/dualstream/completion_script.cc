#include "completion_script.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "option_table.h"
#include "text.h"

namespace dualstream::command {
namespace {

// What may stand at a place.
struct Words {
  bool files = false;
  std::vector<std::string> choices{};

  [[nodiscard]] bool unknown() const { return !files && choices.empty(); }
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

Words words_of(const OptionInfo& option) {
  Settings settings;
  if (option.value == "FILE") return {.files = true};
  return {.choices = choices(option.target(settings))};
}

// Of "[FILE...|-]", "[COMMAND]" or "bash|zsh|fish".
Words operand_words(const Command& command, std::span<const Command> commands) {
  if (command.operands.find("FILE") != std::string_view::npos) return {.files = true};
  Words words;
  if (command.operands.find("COMMAND") != std::string_view::npos) {
    for (const Command& each : commands) words.choices.emplace_back(each.name);
    return words;
  }
  const auto is_choice = [](char c) { return c == '|' || c == '-' || std::islower(c) != 0; };
  if (!std::all_of(command.operands.begin(), command.operands.end(), is_choice)) return words;
  std::string_view rest = command.operands;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('|'), rest.size());
    words.choices.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return words;
}

std::vector<const OptionInfo*> flags_of(const Command& command) {
  std::vector<const OptionInfo*> flags;
  for (const OptionInfo& option : options()) {
    if ((option.commands & command.bit) != 0 && (option.places & kFlag) != 0) {
      flags.push_back(&option);
    }
  }
  return flags;
}

std::vector<std::string> flag_words(const Command& command) {
  std::vector<std::string> words;
  for (const OptionInfo* option : flags_of(command)) words.push_back(flag_name(*option));
  words.emplace_back("--help");
  return words;
}

bool is_repeatable(const OptionInfo& option) {
  Settings settings;
  return repeatable(option.target(settings));
}

// In single quotes, as all three shells read it.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// ---- bash

std::string bash_reply(const Words& words) {
  if (words.files) {
    return "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$word\")";
  }
  return concat(
      {"mapfile -t COMPREPLY < <(compgen -W ", quoted(joined(words.choices)), " -- \"$word\")"});
}

std::string bash_script(std::span<const Command> commands) {
  std::vector<std::string> first;
  for (const Command& command : commands) first.emplace_back(command.name);
  first.emplace_back("--help");
  first.emplace_back("--version");
  std::string text =
      concat({R"(# Completes the words of dualstream in bash; made by `dualstream completion bash`.
_dualstream() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    )",
              bash_reply({.choices = first}), R"(
    return
  fi
  # bash takes --flag=value for three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case ${COMP_WORDS[1]}:$previous in
)"});
  for (const Command& command : commands) {
    for (const OptionInfo* option : flags_of(command)) {
      if (option->value.empty()) continue;
      const Words words = words_of(*option);
      text += concat({"    ", command.name, ":", flag_name(*option), ") ",
                      words.unknown() ? "" : bash_reply(words) + "; ", "return ;;\n"});
    }
  }
  text += "  esac\n  case ${COMP_WORDS[1]}:$word in\n";
  for (const Command& command : commands) {
    text += concat(
        {"    ", command.name, ":-*) ", bash_reply({.choices = flag_words(command)}), " ;;\n"});
    const Words words = operand_words(command, commands);
    if (!words.unknown()) {
      text += concat({"    ", command.name, ":*) ", bash_reply(words), " ;;\n"});
    }
  }
  return text + "  esac\n}\ncomplete -F _dualstream dualstream\n";
}

// ---- zsh

// In a description of _arguments these would end it.
std::string zsh_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const Words& words) {
  if (words.files) return "_files";
  return words.unknown() ? " " : concat({"(", joined(words.choices), ")"});
}

std::string zsh_script(std::span<const Command> commands) {
  std::string text =
      "#compdef dualstream\n"
      "# Completes the words of dualstream in zsh; made by `dualstream completion zsh`.\n"
      "_dualstream() {\n"
      "  if ((CURRENT == 2)); then\n"
      "    local -a commands=(\n";
  for (const Command& command : commands) {
    text += concat({"      ", quoted(concat({command.name, ":", command.summary})), "\n"});
  }
  text +=
      "    )\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  local command=$words[2]\n"
      "  shift words\n"
      "  ((CURRENT -= 1))\n"
      "  case $command in\n";
  for (const Command& command : commands) {
    text += concat({"    ", command.name, ")\n      _arguments \\\n"});
    for (const OptionInfo* option : flags_of(command)) {
      std::string spec = concat({is_repeatable(*option) ? "*" : "", flag_name(*option)});
      if (!option->value.empty()) spec += '=';
      spec += concat({"[", zsh_escaped(option->help), "]"});
      if (!option->value.empty()) {
        spec += concat({":", zsh_escaped(option->value), ":", zsh_action(words_of(*option))});
      }
      text += concat({"        ", quoted(spec), " \\\n"});
    }
    const Words words = operand_words(command, commands);
    text += "        '--help[Tells what the command takes.]'";
    if (!words.unknown()) {
      text +=
          concat({" \\\n        ",
                  quoted(concat({"*:", zsh_escaped(command.operands), ":", zsh_action(words)}))});
    }
    text += "\n      ;;\n";
  }
  return text + "  esac\n}\ncompdef _dualstream dualstream\n";
}

// ---- fish

std::string fish_values(const Words& words) {
  if (words.files) return " -F";
  return words.unknown() ? " -f" : concat({" -f -a ", quoted(joined(words.choices))});
}

std::string fish_script(std::span<const Command> commands) {
  std::string text =
      "# Completes the words of dualstream in fish; made by `dualstream completion fish`.\n"
      "complete -c dualstream -f\n";
  for (const Command& command : commands) {
    text += concat({"complete -c dualstream -n __fish_use_subcommand -a ", command.name, " -d ",
                    quoted(command.summary), "\n"});
  }
  for (const Command& command : commands) {
    const std::string here =
        concat({"complete -c dualstream -n '__fish_seen_subcommand_from ", command.name, "'"});
    for (const OptionInfo* option : flags_of(command)) {
      text += concat({here, " -l ", option->name,
                      option->value.empty() ? "" : " -r" + fish_values(words_of(*option)), " -d ",
                      quoted(option->help), "\n"});
    }
    text += concat({here, " -l help -d 'Tells what the command takes.'\n"});
    const Words words = operand_words(command, commands);
    if (!words.unknown()) text += here + fish_values(words) + "\n";
  }
  return text;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell,
                                             std::span<const Command> commands) {
  if (shell == "bash") return bash_script(commands);
  if (shell == "zsh") return zsh_script(commands);
  if (shell == "fish") return fish_script(commands);
  return std::nullopt;
}

}  // namespace dualstream::command
