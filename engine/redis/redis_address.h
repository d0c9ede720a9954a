// RedisAddress is where Redis is and as whom we go there, taken apart from one text:
//
//   host[:port]    redis://[[user]:password@]host[:port][/database]    unix:/path
//                  rediss://... : the same with TLS
//
// The port is 6379 unless given; an IPv6 address stands in brackets. User and password are
// percent-decoded. The database is accepted and has no effect: channels are the same in all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dualstream/options.h"
#include "dualstream/status.h"
#include "redis/tls_session.h"

namespace dualstream::redis {

// A value.
struct RedisAddress {
  std::string host;  // Empty for a unix socket.
  std::uint16_t port = 6379;
  std::string unix_path;
  std::string username;
  std::string password;
  bool tls = false;
  TlsFiles tls_files;

  // For the log: the address without a secret.
  [[nodiscard]] std::string text() const;
};

// ok, or `invalid_options` with a sentence that never holds a password.
[[nodiscard]] Status parse_redis_address(std::string_view text, RedisAddress& out);

// The same, with options.username and options.password in place of those in options.address, and
// with the files that TLS needs: they are read once, to say at start what is wrong with them.
[[nodiscard]] Status parse_redis_address(const RedisOptions& options, RedisAddress& out);

}  // namespace dualstream::redis
