#include "resolve.h"

#include <gtest/gtest.h>

#include "command/temporary_folder.h"
#include "option_table.h"
#include "print_config.h"

namespace dualstream::command {
namespace {

using testing::TemporaryFolder;
using Values = std::vector<std::string>;

GivenFlag flag(std::string_view name, Values values) {
  return {.option = find_option(name).value(), .values = std::move(values)};
}

std::string error_of(const std::vector<GivenFlag>& flags, const Values& environment) {
  Configuration configuration;
  const Status status = resolve(flags, environment, configuration);
  EXPECT_EQ(status.ok(), status.message.empty());
  return status.message;
}

class ResolveTest : public ::testing::Test {
 protected:
  std::string config(const std::string& text) const { return folder_.write("my.conf", text); }

  TemporaryFolder folder_;
};

TEST_F(ResolveTest, LeavesTheEnginesDefaultsWhereNothingIsGiven) {
  Configuration configuration;
  ASSERT_TRUE(resolve({}, {"PATH=/bin"}, configuration).ok());
  const Options standard;
  EXPECT_EQ(configuration.settings.engine.queue.events_max, standard.queue.events_max);
  EXPECT_EQ(configuration.settings.engine.redis.channels, standard.redis.channels);
  EXPECT_EQ(configuration.settings.drain_timeout, std::chrono::seconds{30});
  EXPECT_EQ(configuration.origins[*find_option("topic")].source, Source::standard);
}

TEST_F(ResolveTest, LetsTheFileTheEnvironmentAndTheFlagsWinInThisOrder) {
  const std::string file = config("topic = file\nlinger = 1ms\nbuckets = 8\n");
  Configuration configuration;
  const Status status =
      resolve({flag("config", {file}), flag("topic", {"flag"})},
              {"DUALSTREAM_TOPIC=variable", "DUALSTREAM_LINGER=2ms"}, configuration);
  ASSERT_TRUE(status.ok()) << status.message;
  const Options& engine = configuration.settings.engine;
  EXPECT_EQ(engine.kafka.topic, "flag");
  EXPECT_EQ(engine.kafka.linger, std::chrono::milliseconds{2});
  EXPECT_EQ(engine.redis.buckets, 8U);
  EXPECT_EQ(configuration.origins[*find_option("topic")].place, "--topic");
  EXPECT_EQ(configuration.origins[*find_option("linger")].place, "DUALSTREAM_LINGER");
  EXPECT_EQ(configuration.origins[*find_option("buckets")].place, file + ":3");
}

TEST_F(ResolveTest, FindsTheConfigFileByAVariableUnlessAFlagNamesAnother) {
  const std::string by_variable = config("topic = one\n");
  const std::string by_flag = folder_.write("other.conf", "topic = two\n");
  Configuration one;
  ASSERT_TRUE(resolve({}, {"DUALSTREAM_CONFIG=" + by_variable}, one).ok());
  EXPECT_EQ(one.settings.engine.kafka.topic, "one");
  Configuration two;
  ASSERT_TRUE(resolve({flag("config", {by_flag})}, {"DUALSTREAM_CONFIG=" + by_variable}, two).ok());
  EXPECT_EQ(two.settings.engine.kafka.topic, "two");
}

TEST_F(ResolveTest, ReplacesAListAsAWhole) {
  const std::string file = config("channel = [\"a:{source_type}\", \"b:{source_type}\"]\n");
  Configuration from_file;
  ASSERT_TRUE(resolve({flag("config", {file})}, {}, from_file).ok());
  EXPECT_EQ(from_file.settings.engine.redis.channels,
            (Values{"a:{source_type}", "b:{source_type}"}));
  Configuration from_variable;
  ASSERT_TRUE(resolve({flag("config", {file})},
                      {"DUALSTREAM_CHANNEL=c:{source_type};d:{source_type}"}, from_variable)
                  .ok());
  EXPECT_EQ(from_variable.settings.engine.redis.channels,
            (Values{"c:{source_type}", "d:{source_type}"}));
}

TEST_F(ResolveTest, GathersARepeatableKeyFromSeveralLines) {
  const std::string file = config("kafka-property = 'a=1'\ntopic = t\nkafka-property = 'b=x=y'\n");
  Configuration configuration;
  ASSERT_TRUE(resolve({flag("config", {file})}, {}, configuration).ok());
  const Properties expected{{"a", "1"}, {"b", "x=y"}};
  EXPECT_EQ(configuration.settings.engine.kafka.properties, expected);
}

TEST_F(ResolveTest, NamesTheNearestKnownKeyVariableAndLine) {
  const std::string file = config("\n\nbroker = x\n");
  EXPECT_EQ(error_of({flag("config", {file})}, {}),
            "unknown key `broker` in " + file + ":3; did you mean `brokers`?");
  EXPECT_EQ(error_of({}, {"DUALSTREAM_BROKER=x"}),
            "unknown environment variable `DUALSTREAM_BROKER`; did you mean "
            "`DUALSTREAM_BROKERS`?");
}

TEST_F(ResolveTest, RefusesAKeyThatIsSetTwice) {
  const std::string file = config("topic = a\ntopic = b\n");
  EXPECT_EQ(error_of({flag("config", {file})}, {}), file + ":2: `topic` was set in line 1 already");
}

TEST_F(ResolveTest, RefusesKeysThatMakeNoSenseInAFile) {
  const std::string file = config("print-config = true\n");
  EXPECT_NE(error_of({flag("config", {file})}, {}).find("unknown key `print-config`"),
            std::string::npos);
  EXPECT_NE(error_of({flag("config", {config("redis-password = x\n")})}, {})
                .find("unknown key `redis-password`"),
            std::string::npos);
}

TEST_F(ResolveTest, SaysWhereAValueThatCannotBeReadStands) {
  const std::string file = config("linger = 5x\n");
  EXPECT_EQ(error_of({flag("config", {file})}, {}),
            file + ":1: linger: `5x` is not a duration (250ms, 5s, 2m, 1h)");
  EXPECT_EQ(error_of({}, {"DUALSTREAM_QUEUE_BYTES=much"}),
            "DUALSTREAM_QUEUE_BYTES: `much` is not a size (65536, 64KiB, 1MiB)");
  EXPECT_EQ(error_of({flag("notify", {"never"})}, {}),
            "--notify: `never` is not one of acknowledged, accepted");
  EXPECT_EQ(error_of({flag("max-bad", {"-1"})}, {}),
            "--max-bad: `-1` is not a whole number or `unlimited`");
  EXPECT_EQ(error_of({flag("topic", {"a", "b"})}, {}), "--topic: takes one value, not 2");
  EXPECT_EQ(error_of({flag("threads", {"0"})}, {}),
            "--threads: threads is 0, and has to be 1 to 256");
}

TEST_F(ResolveTest, CountsAnEmptyVariableAsNone) {
  Configuration configuration;
  ASSERT_TRUE(resolve({}, {"DUALSTREAM_LINGER="}, configuration).ok());
  EXPECT_EQ(configuration.origins[*find_option("linger")].source, Source::standard);
}

TEST_F(ResolveTest, LeavesTheVariablesOfTheProjectsOwnTestsAlone) {
  EXPECT_EQ(error_of({}, {"DUALSTREAM_SERVERS_DIR=/x", "DUALSTREAM_BINARY_DIR=/y"}), "");
}

TEST_F(ResolveTest, TurnsWaitForKafkaIntoTheEnginesOpposite) {
  Configuration standard;
  ASSERT_TRUE(resolve({}, {}, standard).ok());
  EXPECT_TRUE(standard.settings.engine.kafka.required_at_open);
  Configuration waiting;
  ASSERT_TRUE(resolve({flag("wait-for-kafka", {"true"})}, {}, waiting).ok());
  EXPECT_FALSE(waiting.settings.engine.kafka.required_at_open);
}

TEST_F(ResolveTest, ReadsThePasswordFromTheFirstLineOfAFile) {
  const std::string file = folder_.write("password", "s3cret\r\nanother line\n");
  Configuration configuration;
  ASSERT_TRUE(resolve({flag("redis-password-file", {file})}, {"DUALSTREAM_REDIS_PASSWORD=other"},
                      configuration)
                  .ok());
  EXPECT_EQ(configuration.settings.engine.redis.password, "s3cret");
}

TEST_F(ResolveTest, LetsAPasswordInTheEnvironmentWinOverAFileThatTheConfigNames) {
  const std::string password = folder_.write("password", "from file\n");
  const std::string file = config("redis-password-file = " + password + "\n");
  Configuration configuration;
  ASSERT_TRUE(resolve({flag("config", {file})}, {"DUALSTREAM_REDIS_PASSWORD=from environment"},
                      configuration)
                  .ok());
  EXPECT_EQ(configuration.settings.engine.redis.password, "from environment");
}

TEST_F(ResolveTest, SaysWhatIsWrongWithAPasswordFile) {
  EXPECT_EQ(error_of({flag("redis-password-file", {"no/such"})}, {}),
            "--redis-password-file: cannot read no/such: No such file or directory");
  const std::string empty = folder_.write("empty", "\n");
  EXPECT_NE(error_of({flag("redis-password-file", {empty})}, {}).find("is empty"),
            std::string::npos);
}

TEST_F(ResolveTest, RefusesSecretsOnTheCommandLineWithoutRepeatingThem) {
  for (const GivenFlag& given : {flag("kafka-property", {"sasl.password=hunter2"}),
                                 flag("kafka-property", {"ssl.key.password=hunter2"}),
                                 flag("redis", {"redis://user:hunter2@host"})}) {
    const std::string error = error_of({given}, {});
    EXPECT_NE(error.find("other users can see a command line"), std::string::npos) << error;
    EXPECT_EQ(error.find("hunter2"), std::string::npos) << error;
  }
  EXPECT_EQ(error_of({flag("kafka-property", {"sasl.username=me"}),
                      flag("redis", {"redis://user@host:6379"})},
                     {}),
            "");
}

TEST_F(ResolveTest, AddsTheFlagAndThePlaceToAnErrorOfTheEngine) {
  Configuration configuration;
  ASSERT_TRUE(resolve({}, {"DUALSTREAM_BUCKETS=0"}, configuration).ok());
  EXPECT_EQ(with_origin("redis.buckets is 0", configuration),
            "redis.buckets is 0 (--buckets, set in DUALSTREAM_BUCKETS)");
  EXPECT_EQ(with_origin("kafka.topic is empty", configuration), "kafka.topic is empty (--topic)");
  EXPECT_EQ(with_origin("kafka.properties: `linger.ms` is the engine's own; use kafka.linger",
                        configuration),
            "kafka.properties: `linger.ms` is the engine's own; use kafka.linger "
            "(--kafka-property)");
  EXPECT_EQ(with_origin("something else", configuration), "something else");
}

// ---- --print-config

const Command kCommand{.name = "ingest",
                       .bit = kForIngest,
                       .summary = {},
                       .operands = {},
                       .about = {},
                       .notes = {},
                       .check = nullptr,
                       .run = nullptr};

TEST_F(ResolveTest, PrintsEveryValueAndWhereItComesFrom) {
  Configuration configuration;
  ASSERT_TRUE(
      resolve({flag("topic", {"events"})}, {"DUALSTREAM_BROKERS=localhost:9092"}, configuration)
          .ok());
  const std::string text = config_text(kCommand, configuration);
  EXPECT_NE(text.find("brokers = \"localhost:9092\""), std::string::npos) << text;
  EXPECT_NE(text.find("# DUALSTREAM_BROKERS\n"), std::string::npos) << text;
  EXPECT_NE(text.find("# --topic\n"), std::string::npos) << text;
  EXPECT_NE(text.find("delivery-timeout = 2m "), std::string::npos) << text;
  EXPECT_NE(text.find("# redis is not set"), std::string::npos) << text;
}

TEST_F(ResolveTest, PrintsAConfigFileThatSetsTheSame) {
  Configuration before;
  ASSERT_TRUE(
      resolve({flag("topic", {"events"}), flag("channel", {"a:{source_type}", "b:{source_type}"}),
               flag("kafka-property", {"client.rack=a \"b\""}), flag("max-bad", {"7"}),
               flag("quiet", {"true"})},
              {}, before)
          .ok());
  const std::string file = config(config_text(kCommand, before));
  Configuration after;
  const Status status = resolve({flag("config", {file})}, {}, after);
  ASSERT_TRUE(status.ok()) << status.message;
  for (const OptionInfo& option : options()) {
    if (option.name == "config") continue;
    EXPECT_EQ(show(option.target(after.settings)), show(option.target(before.settings)))
        << option.name;
  }
}

TEST_F(ResolveTest, PrintsNoSecret) {
  Configuration configuration;
  const Status status =
      resolve({},
              {"DUALSTREAM_REDIS_PASSWORD=hunter2", "DUALSTREAM_REDIS=redis://u:hunter2@host",
               "DUALSTREAM_KAFKA_PROPERTY=sasl.username=me;sasl.password=hunter2"},
              configuration);
  ASSERT_TRUE(status.ok()) << status.message;
  const std::string text = config_text(kCommand, configuration);
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  EXPECT_NE(text.find("redis-password = \"***\""), std::string::npos) << text;
  EXPECT_NE(text.find("redis = \"redis://u:***@host\""), std::string::npos) << text;
  EXPECT_NE(text.find("kafka-property = \"sasl.username=me\""), std::string::npos) << text;
}

}  // namespace
}  // namespace dualstream::command
