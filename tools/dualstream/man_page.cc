#include "man_page.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "dualstream/version.h"
#include "option_table.h"
#include "text.h"

namespace dualstream::command {
namespace {

// What troff would take for its own: backslashes, hyphens (which it may turn into typographic
// ones), and a dot or an apostrophe at the start of a line.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_start = c == '\n';
  }
  return out;
}

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string head(std::string_view page, std::string_view summary) {
  // Without a date: the text depends on nothing but the program.
  return concat({".TH ", upper(page), R"( 1 "" "dualstream )", DUALSTREAM_VERSION,
                 "\" \"User Commands\"\n.SH NAME\n", roff(page), " \\- ", roff(summary), "\n"});
}

std::vector<std::string_view> blocks_of(std::string_view text) {
  std::vector<std::string_view> blocks;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    if (end > 0) blocks.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return blocks;
}

std::string without_newline(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string{text};
}

// Paragraphs, which troff fills anew.
void append_prose(std::string& page, std::string_view text) {
  bool first = true;
  for (const std::string_view block : blocks_of(text)) {
    if (!std::exchange(first, false)) page += ".PP\n";
    page.append(roff(without_newline(block))).append("\n");
  }
}

// Examples and exit codes: "A title:" and lines that stay as they are.
void append_notes(std::string& page, std::string_view notes, std::string_view section) {
  for (const std::string_view block : blocks_of(notes)) {
    const std::size_t end = std::min(block.find('\n'), block.size());
    std::string_view title = block.substr(0, end);
    if (!title.ends_with(':')) {
      page += ".PP\n" + roff(without_newline(block)) + "\n";
      continue;
    }
    title.remove_suffix(1);
    page += concat({section, " ", section == ".SH" ? upper(title) : std::string{title}, "\n"});
    page +=
        ".nf\n" + roff(without_newline(block.substr(std::min(end + 1, block.size())))) + "\n.fi\n";
  }
}

void append_option(std::string& page, const OptionInfo& option) {
  const bool flag = (option.places & kFlag) != 0;
  page += concat({".TP\n\\fB", roff(flag ? flag_name(option) : variable_name(option)), "\\fR"});
  if (flag && !option.value.empty()) page += concat({" \\fI", roff(option.value), "\\fR"});
  page += "\n" + roff(option.help);
  const std::string standard = default_text(option);
  if (standard == "required") {
    page += " Required.";
  } else if (standard != "none" && !option.value.empty()) {
    page += concat({" Default: ", roff(standard), "."});
  }
  if (flag && (option.places & kVariable) != 0) {
    page += concat({"\nVariable: ", roff(variable_name(option)), "."});
  }
  page += '\n';
}

// `section` holds the groups: ".SS" below ".SH OPTIONS".
void append_options(std::string& page, const Command& command) {
  std::string_view group;
  for (const OptionInfo& option : options()) {
    if ((option.commands & command.bit) == 0) continue;
    if (option.group != group) {
      group = option.group;
      page += concat({".SS ", group, "\n"});
    }
    append_option(page, option);
  }
}

bool takes_options(const Command& command) {
  return std::any_of(options().begin(), options().end(), [&command](const OptionInfo& option) {
    return (option.commands & command.bit) != 0;
  });
}

std::string synopsis(const Command& command) {
  std::string text = concat({"\\fBdualstream ", roff(command.name), "\\fR"});
  if (takes_options(command)) text += " [\\fIOPTION\\fR...]";
  if (!command.operands.empty()) text += " " + roff(command.operands);
  return text + "\n";
}

}  // namespace

std::string program_page(std::span<const Command> commands) {
  std::string page =
      head("dualstream", "publish events durably to Kafka, and as notifications to Redis Pub/Sub");
  page += ".SH SYNOPSIS\n";
  bool first = true;
  for (const Command& command : commands) {
    page += (std::exchange(first, false) ? "" : ".br\n") + synopsis(command);
  }
  page +=
      ".SH DESCRIPTION\n"
      "Publishes each event once and delivers it twice: durably to Apache Kafka and, once Kafka\n"
      "has acknowledged it, as a light notification to Redis Pub/Sub. Commands:\n";
  for (const Command& command : commands) {
    page += concat({".TP\n\\fB", roff(command.name), "\\fR\n", roff(command.summary), "\n"});
  }
  for (const Command& command : commands) {
    page += concat({".SH ", upper(command.name), "\n"});
    append_prose(page, command.about);
    append_options(page, command);
    append_notes(page, command.notes, ".SS");
  }
  return page;
}

std::string command_page(const Command& command) {
  std::string page = head(concat({"dualstream-", command.name}), command.summary);
  page += ".SH SYNOPSIS\n" + synopsis(command) + ".SH DESCRIPTION\n";
  append_prose(page, command.about);
  if (takes_options(command)) page += ".SH OPTIONS\n";
  append_options(page, command);
  append_notes(page, command.notes, ".SH");
  return page + ".SH SEE ALSO\n.BR dualstream (1)\n";
}

}  // namespace dualstream::command
