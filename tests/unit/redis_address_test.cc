#include "redis/redis_address.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::redis {
namespace {

RedisAddress parsed(std::string_view text) {
  RedisAddress address;
  const Status status = parse_redis_address(text, address);
  EXPECT_TRUE(status.ok()) << text << ": " << status.message;
  return address;
}

TEST(RedisAddressTest, TakesAHostAndAPort) {
  EXPECT_EQ(parsed("127.0.0.1:6390").host, "127.0.0.1");
  EXPECT_EQ(parsed("127.0.0.1:6390").port, 6390);
  EXPECT_EQ(parsed("redis.example").port, 6379);
  EXPECT_EQ(parsed("[::1]:7000").host, "::1");
  EXPECT_EQ(parsed("[::1]:7000").port, 7000);
  EXPECT_EQ(parsed("[::1]").port, 6379);
}

TEST(RedisAddressTest, TakesAUrlWithCredentials) {
  const RedisAddress address = parsed("redis://event%3Asender:p%40ss:w%2Ford@cache.example:6380/0");
  EXPECT_EQ(address.username, "event:sender");
  EXPECT_EQ(address.password, "p@ss:w/ord");
  EXPECT_EQ(address.host, "cache.example");
  EXPECT_EQ(address.port, 6380);
  EXPECT_EQ(parsed("redis://:secret@h").password, "secret");
  EXPECT_EQ(parsed("redis://:secret@h").username, "");
  EXPECT_EQ(parsed("redis://h").host, "h");
  EXPECT_EQ(parsed("redis://u:a@b@h:1").password, "a@b") << "the last @ ends the password";
}

TEST(RedisAddressTest, TakesAUnixSocket) {
  EXPECT_EQ(parsed("unix:/run/redis.sock").unix_path, "/run/redis.sock");
  EXPECT_EQ(parsed("unix:///run/redis.sock").unix_path, "/run/redis.sock");
  EXPECT_EQ(parsed("unix:/run/redis.sock").text(), "unix:/run/redis.sock");
}

TEST(RedisAddressTest, ShowsNoSecretInItsText) {
  EXPECT_EQ(parsed("redis://user:hush@h:7").text(), "h:7");
  EXPECT_EQ(parsed("redis://user:hush@[::1]:7").text(), "[::1]:7");
}

TEST(RedisAddressTest, RefusesWhatItCannotUseWithoutRepeatingASecret) {
  const std::vector<std::string> bad = {
      "",
      ":6379",
      "h:",
      "h:0",
      "h:65536",
      "h:6379x",
      "h:-1",
      "h h:1",
      "[::1",
      "[::1]x",
      "::1",
      "http://hush@h",
      "rediss:h",
      "rediss://",
      "rediss://unix:/path",
      "redis://:hush%zz@h",
      "redis://:hush@h/x",
      "redis://:hush@",
      "unix:relative/path",
      "unix:",
      "unix:/" + std::string(120, 'p'),
      "redis://u:hush@h:1?db=2",
  };
  for (const std::string& text : bad) {
    RedisAddress address;
    const Status status = parse_redis_address(text, address);
    EXPECT_EQ(status.code, StatusCode::invalid_options) << text;
    EXPECT_TRUE(status.message.starts_with("redis.address: ")) << status.message;
    EXPECT_EQ(status.message.find("hush"), std::string::npos) << status.message;
  }
}

TEST(RedisAddressTest, OptionsWinOverTheAddress) {
  RedisOptions options;
  options.address = "redis://old:older@h";
  options.username = "new";
  options.password = "newer";
  RedisAddress address;
  ASSERT_TRUE(parse_redis_address(options, address).ok());
  EXPECT_EQ(address.username, "new");
  EXPECT_EQ(address.password, "newer");
}

TEST(RedisAddressTest, TheSchemeAsksForTls) {
  RedisAddress address;
  ASSERT_TRUE(parse_redis_address("redis://h:7", address).ok());
  EXPECT_FALSE(address.tls);
  ASSERT_TRUE(parse_redis_address("rediss://u:p@h:7/3", address).ok());
  EXPECT_TRUE(address.tls);
  EXPECT_EQ(address.host, "h");
  EXPECT_EQ(address.port, 7);
  EXPECT_EQ(address.username, "u");
}

TEST(RedisAddressTest, FilesForTlsNeedTlsAndEachOther) {
  const auto field = [](const RedisOptions& options) {
    RedisAddress address;
    return parse_redis_address(options, address).field;
  };
  EXPECT_EQ(field({.address = "h:1", .tls_ca_file = "ca.pem"}), "redis.tls_ca_file");
  EXPECT_EQ(field({.address = "h:1", .tls_certificate_file = "a.pem"}),
            "redis.tls_certificate_file");
  EXPECT_EQ(field({.address = "h:1", .tls_key_file = "a.key"}), "redis.tls_key_file");
  EXPECT_EQ(field({.address = "rediss://h:1", .tls_certificate_file = "a.pem"}),
            "redis.tls_key_file");
  EXPECT_EQ(field({.address = "rediss://h:1", .tls_key_file = "a.key"}),
            "redis.tls_certificate_file");
  EXPECT_EQ(field({.address = "rediss://h:1", .tls_ca_file = "/absent/ca.pem"}), "redis.address");
  EXPECT_EQ(field({.address = "rediss://h:1"}), "") << "the system's authorities will do";
}

TEST(RedisAddressTest, RefusesAUserWithoutAPassword) {
  RedisOptions options;
  options.address = "h:1";
  options.username = "somebody";
  RedisAddress address;
  EXPECT_EQ(parse_redis_address(options, address).code, StatusCode::invalid_options);
}

}  // namespace
}  // namespace dualstream::redis
