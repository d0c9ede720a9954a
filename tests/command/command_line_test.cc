#include "command_line.h"

#include <array>

#include <gtest/gtest.h>

#include "option_table.h"

namespace dualstream::command {
namespace {

const std::array<Command, 2> kCommands{Command{.name = "ingest",
                                               .bit = kForIngest,
                                               .summary = {},
                                               .operands = "[FILE...]",
                                               .about = {},
                                               .notes = {},
                                               .check = nullptr,
                                               .run = nullptr},
                                       Command{.name = "doctor",
                                               .bit = 1U << 31,
                                               .summary = {},
                                               .operands = "",
                                               .about = {},
                                               .notes = {},
                                               .check = nullptr,
                                               .run = nullptr}};

struct Parsed {
  CommandLine line;
  Status status;

  [[nodiscard]] std::vector<std::string> values(std::string_view name) const {
    for (const GivenFlag& given : line.flags) {
      if (options()[given.option].name == name) return given.values;
    }
    return {};
  }
};

Parsed parse(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  Parsed parsed;
  parsed.status = parse_command_line(arguments, kCommands, parsed.line);
  return parsed;
}

using Texts = std::vector<std::string>;

TEST(CommandLineTest, FindsCommandFlagsAndOperands) {
  const Parsed parsed = parse({"ingest", "--topic", "events", "a", "--linger=5ms", "-", "--quiet"});
  ASSERT_TRUE(parsed.status.ok()) << parsed.status.message;
  EXPECT_EQ(parsed.line.command, kCommands.data());
  EXPECT_EQ(parsed.values("topic"), Texts{"events"});
  EXPECT_EQ(parsed.values("linger"), Texts{"5ms"});
  EXPECT_EQ(parsed.values("quiet"), Texts{"true"});
  EXPECT_EQ(parsed.line.operands, (Texts{"a", "-"}));
}

TEST(CommandLineTest, GathersRepeatedFlags) {
  const Parsed parsed = parse({"ingest", "--channel", "a", "file", "--channel", "b"});
  ASSERT_TRUE(parsed.status.ok()) << parsed.status.message;
  EXPECT_EQ(parsed.values("channel"), (Texts{"a", "b"}));
  EXPECT_EQ(parsed.line.operands, Texts{"file"});
}

TEST(CommandLineTest, TakesAnythingForAnOperandBehindTwoDashes) {
  const Parsed parsed = parse({"ingest", "--", "--topic", "-x", "[a]", "[b,c]"});
  ASSERT_TRUE(parsed.status.ok()) << parsed.status.message;
  EXPECT_EQ(parsed.line.operands, (Texts{"--topic", "-x", "[a]", "[b,c]"}));
}

TEST(CommandLineTest, KeepsValuesAsTheyAre) {
  for (const char* value : {"[a,b]", "{source_type}", "a b", "/id", "x=y", "'q'", "-"}) {
    const Parsed parsed = parse({"ingest", std::string{"--topic="} + value});
    ASSERT_TRUE(parsed.status.ok()) << parsed.status.message;
    EXPECT_EQ(parsed.values("topic"), Texts{value});
  }
  EXPECT_EQ(parse({"ingest", "--max-bad", "-1"}).values("max-bad"), Texts{"-1"});
  EXPECT_EQ(parse({"ingest", "--redis", ""}).values("redis"), Texts{""});
}

TEST(CommandLineTest, TurnsASwitchOffWithAValue) {
  EXPECT_EQ(parse({"ingest", "--wait-for-kafka=false"}).values("wait-for-kafka"), Texts{"false"});
}

TEST(CommandLineTest, NamesTheNearestKnownFlagAndCommand) {
  EXPECT_EQ(parse({"ingest", "--broker", "x"}).status.message,
            "unknown flag `--broker`; did you mean `--brokers`?");
  EXPECT_EQ(parse({"ingest", "--tpoic=x"}).status.message,
            "unknown flag `--tpoic`; did you mean `--topic`?");
  EXPECT_EQ(parse({"ingest", "-x"}).status.message, "unknown flag `-x`");
  EXPECT_EQ(parse({"ingset"}).status.message, "unknown command `ingset`; did you mean `ingest`?");
}

TEST(CommandLineTest, NamesTheCommandsThatHaveTheFlag) {
  EXPECT_EQ(parse({"doctor", "--checkpoint=x"}).status.message,
            "`--checkpoint` is a flag of ingest, not of doctor");
}

TEST(CommandLineTest, HasNoFlagForAPassword) {
  EXPECT_EQ(parse({"ingest", "--redis-password", "x"}).status.message,
            "unknown flag `--redis-password`; did you mean `--redis-password-file`?");
}

TEST(CommandLineTest, MissesAValueThatWasForgotten) {
  EXPECT_EQ(parse({"ingest", "--topic"}).status.message, "--topic needs a value");
  EXPECT_EQ(parse({"ingest", "--topic", "--redis", "x"}).status.message,
            "--topic needs a value, and `--redis` is a flag; if you mean it, write "
            "--topic=--redis");
}

TEST(CommandLineTest, WantsTheCommandFirst) {
  EXPECT_NE(parse({"--topic", "x", "ingest"}).status.message.find("the command comes first"),
            std::string::npos);
  EXPECT_EQ(parse({"doctor", "x"}).status.message, "`x` is too much: doctor takes no operands");
}

TEST(CommandLineTest, AnswersToHelpWhateverElseIsWrong) {
  EXPECT_TRUE(parse({}).line.help);
  EXPECT_TRUE(parse({"--help"}).line.help);
  EXPECT_TRUE(parse({"--version"}).line.version);
  const Parsed parsed = parse({"ingest", "--nonsense", "--help"});
  EXPECT_TRUE(parsed.status.ok());
  EXPECT_TRUE(parsed.line.help);
}

}  // namespace
}  // namespace dualstream::command
