// The completion scripts, as a shell reads them: bash completes real words with its own.
#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "command/program.h"
#include "command/temporary_folder.h"
#include "commands.h"
#include "completion_script.h"
#include "man_page.h"
#include "option_table.h"

namespace dualstream::command {
namespace {

using testing::ProgramEnd;
using testing::run_program;
using testing::TemporaryFolder;
using Words = std::vector<std::string>;

// What a shell prints; its exit code goes into `code`.
std::string output_of(const std::string& shell_command, int& code) {
  std::FILE* const pipe = ::popen(shell_command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error{"popen refused " + shell_command};
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), size);
  }
  code = ::pclose(pipe);
  return text;
}

class BashCompletionTest : public ::testing::Test {
 protected:
  BashCompletionTest() { folder_.write("script", *completion_script("bash", commands())); }

  // What bash offers for the last of `words`, which are those that it makes of a line.
  Words complete(const Words& words) const {
    std::string text = "cd '" + folder_.path("") + "' && . ./script && COMP_WORDS=(";
    for (const std::string& word : words) text += "'" + word + "' ";
    text += ") && COMP_CWORD=" + std::to_string(words.size() - 1) +
            " && _dualstream && printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    folder_.write("run", text);
    int code = 0;
    std::istringstream lines{
        output_of("bash --norc --noprofile '" + folder_.path("run") + "' 2>&1", code)};
    EXPECT_EQ(code, 0);
    Words offered;
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) offered.push_back(line);
    }
    std::sort(offered.begin(), offered.end());
    return offered;
  }

  const TemporaryFolder folder_;
};

TEST_F(BashCompletionTest, OffersCommands) {
  EXPECT_EQ(complete({"dualstream", "ing"}), Words{"ingest"});
  const Words all = complete({"dualstream", ""});
  EXPECT_EQ(all.size(), commands().size() + 2);
  EXPECT_EQ(complete({"dualstream", "nothing"}), Words{});
}

TEST_F(BashCompletionTest, OffersTheFlagsOfTheCommand) {
  EXPECT_EQ(complete({"dualstream", "ingest", "--dead"}), Words{"--dead-letter"});
  EXPECT_EQ(complete({"dualstream", "ingest", "--broke", "h"}).size(), 0U);
  const Words flags = complete({"dualstream", "ingest", "--"});
  const auto taken =
      std::count_if(options().begin(), options().end(), [](const OptionInfo& option) {
        return (option.commands & kForIngest) != 0 && (option.places & kFlag) != 0;
      });
  EXPECT_EQ(flags.size(), static_cast<std::size_t>(taken) + 1);
  EXPECT_EQ(complete({"dualstream", "man", "--"}), Words{"--help"});
}

TEST_F(BashCompletionTest, OffersTheValuesOfAFlag) {
  EXPECT_EQ(complete({"dualstream", "ingest", "--progress", "a"}), (Words{"always", "auto"}));
  EXPECT_EQ(complete({"dualstream", "ingest", "--notify", ""}),
            (Words{"accepted", "acknowledged"}));
  // --progress=a, as bash cuts it.
  EXPECT_EQ(complete({"dualstream", "ingest", "--progress", "=", "a"}), (Words{"always", "auto"}));
  EXPECT_EQ(complete({"dualstream", "ingest", "--progress", "="}),
            (Words{"always", "auto", "never"}));
  EXPECT_EQ(complete({"dualstream", "ingest", "--topic", ""}), Words{});
}

TEST_F(BashCompletionTest, OffersFilesWhereFilesGo) {
  folder_.write("a file.ndjson", "");
  EXPECT_EQ(complete({"dualstream", "ingest", "a"}), Words{"a file.ndjson"});
  EXPECT_EQ(complete({"dualstream", "ingest", "--checkpoint", "a"}), Words{"a file.ndjson"});
  EXPECT_EQ(complete({"dualstream", "completion", "a"}), Words{});
}

TEST_F(BashCompletionTest, OffersTheWordsThatACommandTakes) {
  EXPECT_EQ(complete({"dualstream", "completion", ""}), (Words{"bash", "fish", "zsh"}));
  EXPECT_EQ(complete({"dualstream", "man", "i"}), Words{"ingest"});
}

TEST(CompletionTest, KnowsThreeShells) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const ProgramEnd end = run_program({"completion", shell});
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_EQ(end.output, completion_script(shell, commands()));
    for (const OptionInfo& option : options()) {
      if ((option.places & kFlag) == 0) continue;
      EXPECT_NE(end.output.find(option.name), std::string::npos) << shell << " " << option.name;
    }
  }
  EXPECT_EQ(run_program({"completion", "tcsh"}).exit_code, 2);
  EXPECT_EQ(run_program({"completion"}).exit_code, 2);
}

// Quotes are balanced and nothing is cut off; whether zsh and fish like it, they alone can say.
TEST(CompletionTest, QuotesEveryText) {
  for (const char* shell : {"zsh", "fish"}) {
    std::istringstream lines{*completion_script(shell, commands())};
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with('#')) continue;
      const std::string apostrophe = "'\\''";
      for (std::size_t at = 0; (at = line.find(apostrophe)) != std::string::npos;) {
        line.erase(at, apostrophe.size());
      }
      EXPECT_EQ(std::count(line.begin(), line.end(), '\'') % 2, 0) << line;
    }
  }
}

// ---- Manual pages

TEST(ManPageTest, HoldsEveryOptionAndCommand) {
  const std::string page = program_page(commands());
  for (const Command& command : commands()) {
    EXPECT_NE(page.find(command.summary.substr(0, 12)), std::string::npos) << command.name;
  }
  const auto hyphens = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('-', at)) != std::string::npos; at += 2) {
      text.replace(at, 1, "\\-");
    }
    return text;
  };
  for (const OptionInfo& option : options()) {
    const std::string name =
        (option.places & kFlag) != 0 ? flag_name(option) : variable_name(option);
    EXPECT_NE(page.find("\\fB" + hyphens(name) + "\\fR"), std::string::npos) << name;
  }
}

TEST(ManPageTest, IsPrintedForEachCommand) {
  EXPECT_EQ(run_program({"man"}).output, program_page(commands()));
  for (const Command& command : commands()) {
    EXPECT_EQ(run_program({"man", std::string{command.name}}).output, command_page(command));
  }
  const ProgramEnd wrong = run_program({"man", "ingset"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.errors.find("did you mean `ingest`?"), std::string::npos) << wrong.errors;
}

#ifdef DUALSTREAM_MANDOC
TEST(ManPageTest, PleasesMandoc) {
  const TemporaryFolder folder;
  std::vector<std::string> pages{program_page(commands())};
  for (const Command& command : commands()) pages.push_back(command_page(command));
  for (const std::string& page : pages) {
    const std::string file = folder.write("page.1", page);
    int code = 0;
    // It has no date on purpose.
    const std::string said = output_of(std::string{DUALSTREAM_MANDOC} + " -T lint -W warning '" +
                                           file + "' | grep -v 'missing date' || true",
                                       code);
    EXPECT_EQ(said, "");
    const std::string shown =
        output_of(std::string{DUALSTREAM_MANDOC} + " -T html '" + file + "'", code);
    EXPECT_EQ(code, 0);
    EXPECT_NE(shown.find("SYNOPSIS"), std::string::npos);
  }
}
#endif

}  // namespace
}  // namespace dualstream::command
