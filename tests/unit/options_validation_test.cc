// validate(): what each option may be, and the sentence that says which one may not.
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dualstream/options.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;

Options valid_options() {
  Options options;
  options.kafka.brokers = "127.0.0.1:9092";
  options.kafka.topic = "events";
  return options;
}

TEST(OptionsValidationTest, TakesTheDefaultsWithBrokersAndTopic) {
  EXPECT_TRUE(validate(valid_options()).ok()) << validate(valid_options()).message;
}

TEST(OptionsValidationTest, TakesTheFormsOfABrokerList) {
  for (const char* brokers : {"kafka", "kafka:9092", "a:1,b:2,c:65535", "[::1]:9092",
                              "10.0.0.1:9092", "SASL_SSL://k:9093"}) {
    Options options = valid_options();
    options.kafka.brokers = brokers;
    EXPECT_TRUE(validate(options).ok()) << brokers << ": " << validate(options).message;
  }
}

// Each bad value is refused by an error that names the field.
TEST(OptionsValidationTest, NamesTheFieldOfEachBadValue) {
  struct Case {
    std::string field;
    std::function<void(Options&)> spoil;
  };
  const std::vector<Case> cases{
      {"kafka.brokers", [](Options& o) { o.kafka.brokers = ""; }},
      {"kafka.brokers", [](Options& o) { o.kafka.brokers = "host:0"; }},
      {"kafka.brokers", [](Options& o) { o.kafka.brokers = "host:70000"; }},
      {"kafka.brokers", [](Options& o) { o.kafka.brokers = "host:port"; }},
      {"kafka.brokers", [](Options& o) { o.kafka.brokers = "a:1,,b:2"; }},
      {"kafka.brokers", [](Options& o) { o.kafka.brokers = "a b:1"; }},
      {"kafka.topic", [](Options& o) { o.kafka.topic = ""; }},
      {"kafka.topic", [](Options& o) { o.kafka.topic = "bad topic/\n"; }},
      {"kafka.topic", [](Options& o) { o.kafka.topic = ".."; }},
      {"kafka.topic", [](Options& o) { o.kafka.topic = std::string(250, 't'); }},
      {"kafka.linger", [](Options& o) { o.kafka.linger = milliseconds{-1}; }},
      {"kafka.batch_events_max", [](Options& o) { o.kafka.batch_events_max = 0; }},
      {"kafka.batch_bytes_max", [](Options& o) { o.kafka.batch_bytes_max = 10; }},
      {"kafka.clients", [](Options& o) { o.kafka.clients = 0; }},
      {"kafka.clients", [](Options& o) { o.kafka.clients = 17; }},
      {"kafka.event_bytes_max", [](Options& o) { o.kafka.event_bytes_max = 0; }},
      {"kafka.delivery_timeout", [](Options& o) { o.kafka.delivery_timeout = milliseconds{999}; }},
      {"kafka.open_timeout", [](Options& o) { o.kafka.open_timeout = milliseconds{-1}; }},
      {"queue.events_max", [](Options& o) { o.queue.events_max = 0; }},
      {"queue.events_max", [](Options& o) { o.queue.events_max = std::size_t{1} << 23; }},
      {"queue.bytes_max", [](Options& o) { o.queue.bytes_max = 1'000'000; }},
      {"queue.bytes_max", [](Options& o) { o.queue.bytes_max = std::size_t{1} << 37; }},
      {"json.id", [](Options& o) { o.json.id = ""; }},
      {"json.source_id", [](Options& o) { o.json.source_id = "/repo/~name"; }},
      {"json.line_bytes_max", [](Options& o) { o.json.line_bytes_max = 0; }},
      {"json.depth_max", [](Options& o) { o.json.depth_max = 0; }},
      {"redis.address", [](Options& o) { o.redis.address = "redis:port"; }},
      {"redis.channels", [](Options& o) { o.redis.address = "r:1", o.redis.channels = {}; }},
      {"redis.channels",
       [](Options& o) { o.redis.address = "r:1", o.redis.channels = {"events:{source_typo}"}; }},
      {"redis.buckets", [](Options& o) { o.redis.address = "r:1", o.redis.buckets = 0; }},
      {"redis.frame_events_max",
       [](Options& o) { o.redis.address = "r:1", o.redis.frame_events_max = 0; }},
      {"redis.window_frames_max",
       [](Options& o) { o.redis.address = "r:1", o.redis.window_frames_max = 0; }},
      {"redis.notifications_max",
       [](Options& o) { o.redis.address = "r:1", o.redis.notifications_max = 1; }},
      {"redis.notification_bytes_max",
       [](Options& o) { o.redis.address = "r:1", o.redis.notification_bytes_max = 1; }},
      {"close_timeout", [](Options& o) { o.close_timeout = milliseconds{-1}; }},
  };
  for (const Case& each : cases) {
    Options options = valid_options();
    each.spoil(options);
    const Status status = validate(options);
    EXPECT_EQ(status.code, StatusCode::invalid_options) << each.field;
    EXPECT_EQ(status.message.rfind(each.field, 0), 0U) << each.field << ": " << status.message;
    EXPECT_EQ(status.field, each.field);
  }
}

TEST(OptionsValidationTest, KeepsPropertiesOfTheEnginesOwnAndNamesTheOptionToUse) {
  Options options = valid_options();
  options.kafka.properties = {{"linger.ms", "5"}};
  const Status status = validate(options);
  EXPECT_EQ(status.code, StatusCode::invalid_options);
  EXPECT_NE(status.message.find("use kafka.linger"), std::string::npos) << status.message;
  EXPECT_EQ(status.field, "kafka.properties");
}

TEST(OptionsValidationTest, TurnsAcksAndIdempotenceDownOnlyWhenAskedTo) {
  const std::vector<std::pair<std::string, std::string>> unsafe{
      {"acks", "1"}, {"request.required.acks", "0"}, {"enable.idempotence", "false"}};
  for (const auto& property : unsafe) {
    Options options = valid_options();
    options.kafka.properties = {property};
    EXPECT_EQ(validate(options).code, StatusCode::invalid_options) << property.first;
    EXPECT_NE(validate(options).message.find("kafka.allow_unsafe"), std::string::npos);
    EXPECT_EQ(validate(options).field, "kafka.properties");
    options.kafka.allow_unsafe = true;
    EXPECT_TRUE(validate(options).ok()) << property.first;
  }
  Options options = valid_options();
  options.kafka.properties = {
      {"acks", "all"}, {"enable.idempotence", "true"}, {"compression.type", "lz4"}};
  EXPECT_TRUE(validate(options).ok());
}

TEST(MemoryBoundTest, GrowsWithEachBoundAndIsNeverBelowThem) {
  const Options options = valid_options();
  const std::uint64_t bound = memory_bytes_max(options);
  EXPECT_GT(bound, options.queue.bytes_max);
  Options larger = options;
  larger.queue.bytes_max *= 2;
  EXPECT_GE(memory_bytes_max(larger), bound + options.queue.bytes_max);
  Options with_redis = options;
  with_redis.redis.address = "127.0.0.1:6379";
  EXPECT_GE(memory_bytes_max(with_redis), bound + with_redis.redis.notification_bytes_max);
}

}  // namespace
}  // namespace dualstream
