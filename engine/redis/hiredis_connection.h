// HiredisConnection is RedisConnection on hiredis: its connect and its reply parser, with a socket
// that we read and write ourselves, or TlsSession does.
//
// hiredis' own output buffer copies each command twice and writes without MSG_NOSIGNAL, so that a
// program that does not block SIGPIPE dies when Redis goes away.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "redis/redis_address.h"
#include "redis/redis_connection.h"

namespace dualstream::redis {

// What waits to be sent stays below this and one command more.
inline constexpr std::size_t kOutputBytesMax = 256 * 1024;

// Never throws for a server's sake: an unusable address shows as a closed connection.
//
// connect() resolves a host's name, and there, and only there, it may block: on the Redis worker's
// own thread, where it delays nothing but notifications. Give an IP address to avoid it.
[[nodiscard]] std::unique_ptr<RedisConnection> make_hiredis_connection(const RedisAddress& address);

// What such a connection can hold, with commands of at most `command_bytes_max`.
[[nodiscard]] std::size_t hiredis_connection_bytes_max(std::size_t command_bytes_max) noexcept;

// Of the headers that it was built with: hiredis does not say at run time.
[[nodiscard]] std::string hiredis_version();

}  // namespace dualstream::redis
