#include "redis/redis_settings.h"

#include <gtest/gtest.h>

namespace dualstream::redis {
namespace {

TEST(RedisSettingsTest, AreWhatTheOptionsSay) {
  RedisOptions options;
  options.address = "redis://user:hush@h:7";
  options.channels = {"events:{source_type}:{source_id}", "all:{source_type}"};
  options.linger = std::chrono::milliseconds{3};
  options.notifications_max = 1'001;
  RedisSettings settings;
  ASSERT_TRUE(read_redis_options(options, settings).ok());
  EXPECT_EQ(settings.address.host, "h");
  EXPECT_EQ(settings.worker.templates.size(), 2U);
  EXPECT_EQ(settings.worker.coalescing.linger, std::chrono::milliseconds{3});
  EXPECT_EQ(settings.worker.coalescing.held_max + queue_half(options.notifications_max), 1'001U);
  EXPECT_EQ(settings.worker.address_text, "h:7");
  EXPECT_EQ(settings.worker.password, "hush");
}

TEST(RedisSettingsTest, SayWhichOptionIsWrong) {
  RedisSettings settings;
  RedisOptions options;
  options.address = "nowhere:x";
  EXPECT_TRUE(read_redis_options(options, settings).message.starts_with("redis.address"));
  options.address = "h:7";
  options.channels = {"events:{source_id}"};
  EXPECT_TRUE(read_redis_options(options, settings).message.starts_with("redis.channels"));
}

TEST(RedisMemoryTest, FollowsTheOptionsThatBoundIt) {
  RedisOptions options;
  EXPECT_EQ(redis_memory_bytes_max(options), 0U) << "there is no Redis side";
  options.address = "h:7";
  const std::uint64_t by_default = redis_memory_bytes_max(options);
  EXPECT_GT(by_default, options.notification_bytes_max / 2);
  EXPECT_LT(by_default, 96U * 1024 * 1024);
  options.notification_bytes_max += 2'000'000;
  EXPECT_EQ(redis_memory_bytes_max(options), by_default + 1'000'000);
  options.sources_remembered_max *= 2;
  EXPECT_GT(redis_memory_bytes_max(options), by_default + 1'000'000);
}

}  // namespace
}  // namespace dualstream::redis
