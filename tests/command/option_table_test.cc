#include "option_table.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "command/temporary_folder.h"
#include "help.h"

namespace dualstream::command {
namespace {

TEST(OptionTableTest, NamesEveryOptionOnceAndDescribesIt) {
  // By name: the commands that have taken it, and whether it may stand in the environment or a
  // file.
  std::map<std::string_view, unsigned> commands;
  std::set<std::string_view> keys;
  std::set<std::string_view> fields;
  for (const OptionInfo& option : options()) {
    EXPECT_EQ(commands[option.name] & option.commands, 0U) << option.name;
    // A name that several commands understand differently is a variable and a key of the first.
    EXPECT_EQ(commands[option.name] != 0,
              (option.places & kEverywhere) == kFlag && keys.contains(option.name))
        << option.name;
    commands[option.name] |= option.commands;
    if (option.places != kFlag) keys.insert(option.name);
    EXPECT_TRUE(option.field.empty() || fields.insert(option.field).second) << option.field;
    EXPECT_TRUE(option.help.ends_with('.')) << option.name;
    EXPECT_NE(option.commands, 0U) << option.name;
  }
}

TEST(OptionTableTest, GivesEveryOptionATargetOfItsOwn) {
  Settings settings;
  std::set<const void*> targets;
  for (const OptionInfo& option : options()) {
    const void* address = std::visit(
        [](auto target) -> const void* {
          if constexpr (requires { target.value; }) {
            return target.value;
          } else {
            return target;
          }
        },
        option.target(settings));
    EXPECT_TRUE(targets.insert(address).second) << option.name;
  }
}

TEST(OptionTableTest, TakesValuesExactlyWhereTheHelpShowsOne) {
  Settings settings;
  for (const OptionInfo& option : options()) {
    EXPECT_EQ(option.value.empty(), is_switch(option.target(settings))) << option.name;
  }
}

TEST(OptionTableTest, ReadsBackEveryDefaultThatItShows) {
  for (const OptionInfo& option : options()) {
    Settings settings;
    const std::vector<std::string> shown = show(option.target(settings));
    EXPECT_EQ(set(option.target(settings), shown), std::nullopt) << option.name;
    EXPECT_EQ(show(option.target(settings)), shown) << option.name;
  }
}

TEST(OptionTableTest, SpellsTheThreeNames) {
  const OptionInfo& option = options()[*find_option("queue-events")];
  EXPECT_EQ(flag_name(option), "--queue-events");
  EXPECT_EQ(variable_name(option), "DUALSTREAM_QUEUE_EVENTS");
  EXPECT_EQ(default_text(option), "262144");
  EXPECT_EQ(default_text(options()[*find_option("topic")]), "required");
  EXPECT_EQ(default_text(options()[*find_option("redis")]), "none");
}

// docs/options.md is written once from the table; this test keeps it so.
TEST(OptionTableTest, StandsInTheDocsAsItIs) {
  std::ifstream file{DUALSTREAM_SOURCE_DIR_BUILT "/docs/options.md"};
  const std::string docs{std::istreambuf_iterator<char>{file}, {}};
  const std::string tables = options_markdown();
  EXPECT_NE(docs.find(tables), std::string::npos) << "docs/options.md should hold these tables:\n\n"
                                                  << tables;
}

TEST(OptionTableTest, KeepsEveryLineOfTheHelpWithin100Columns) {
  for (const Command& command : {kIngest, kTail, kFetch, kReplay, kLoad}) {
    const std::string help = command_help(command);
    for (std::size_t begin = 0; begin < help.size();) {
      const std::size_t end = help.find('\n', begin);
      EXPECT_LE(end - begin, 100U) << help.substr(begin, end - begin);
      begin = end + 1;
    }
    for (const OptionInfo& option : options()) {
      if ((option.commands & command.bit) == 0) continue;
      const bool flag = (option.places & kFlag) != 0;
      EXPECT_NE(help.find(flag ? flag_name(option) : variable_name(option)), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace dualstream::command
