#include "redis/redis_address.h"

#include <charconv>
#include <optional>
#include <utility>

#include "redis/channel.h"

namespace dualstream::redis {
namespace {

// sockaddr_un::sun_path, with its closing zero.
constexpr std::size_t kUnixPathBytesMax = 107;

// The address itself is not repeated: it may hold a password.
Status refusal(std::string_view rule) {
  return Status::error(StatusCode::invalid_options,
                       "redis.address: " + std::string{rule} +
                           "; use host:port, redis://user:password@host:port, rediss:// in "
                           "front of the same for TLS, or unix:/path",
                       "redis.address");
}

bool take_prefix(std::string_view& text, std::string_view prefix) noexcept {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::uint16_t> port_of(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool good_host(std::string_view host) noexcept {
  if (host.empty() || host.size() > 255) return false;
  for (const char c : host) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '/' || c == '@' || c == '[' || c == ']') return false;
  }
  return true;
}

// "user:password", ":password" or "user"; each part percent-encoded.
bool parse_credentials(std::string_view text, RedisAddress& out) {
  const std::size_t colon = text.find(':');
  std::optional<std::string> username = decode(text.substr(0, colon));
  std::optional<std::string> password =
      decode(colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1));
  if (!username || !password) return false;
  out.username = std::move(*username);
  out.password = std::move(*password);
  return true;
}

Status parse_host_and_port(std::string_view text, RedisAddress& out) {
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return refusal("a [ has no ]");
    host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    has_port = rest.starts_with(':');
    if (!rest.empty() && !has_port) return refusal("only :port may follow the ]");
    if (has_port) port = rest.substr(1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (!good_host(host)) return refusal("there is no usable host");
  out.host = host;
  if (!has_port) return {};
  const std::optional<std::uint16_t> number = port_of(port);
  if (!number) return refusal("the port is not a number from 1 to 65535");
  out.port = *number;
  return {};
}

Status check_tls(const RedisAddress& address) {
  const auto refused = [](const char* field, const std::string& why) {
    return Status::error(StatusCode::invalid_options, std::string{field} + ": " + why, field);
  };
  const TlsFiles& files = address.tls_files;
  if (!address.tls) {
    constexpr const char* kWithoutTls =
        "has no effect without TLS; write redis.address as rediss://host:port";
    if (!files.authorities.empty()) return refused("redis.tls_ca_file", kWithoutTls);
    if (!files.certificate.empty()) return refused("redis.tls_certificate_file", kWithoutTls);
    if (!files.key.empty()) return refused("redis.tls_key_file", kWithoutTls);
    return {};
  }
  if (files.certificate.empty() != files.key.empty()) {
    return files.key.empty()
               ? refused("redis.tls_key_file", "is empty while redis.tls_certificate_file is set")
               : refused("redis.tls_certificate_file", "is empty while redis.tls_key_file is set");
  }
  if (const std::string reason = reason_against(files); !reason.empty()) {
    return refused("redis.address", "TLS " + reason +
                                        "; give PEM files that this user may read, and a key "
                                        "without a passphrase");
  }
  return {};
}

}  // namespace

std::string RedisAddress::text() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  const bool bracketed = host.find(':') != std::string::npos;
  return (bracketed ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Status parse_redis_address(std::string_view text, RedisAddress& out) {
  RedisAddress made;
  if (take_prefix(text, "unix:")) {
    take_prefix(text, "//");
    if (!text.starts_with('/')) return refusal("the path of a unix socket starts with /");
    if (text.size() > kUnixPathBytesMax || text.find('\0') != std::string_view::npos) {
      return refusal("the path of a unix socket has at most 107 bytes");
    }
    made.unix_path = text;
    out = std::move(made);
    return {};
  }
  made.tls = take_prefix(text, "rediss://");
  if (made.tls || take_prefix(text, "redis://")) {
    if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
      if (!parse_credentials(text.substr(0, at), made)) {
        return refusal("user or password has a % that two hexadecimal digits do not follow");
      }
      text.remove_prefix(at + 1);
    }
    if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
      const std::string_view database = text.substr(slash + 1);
      if (database.find_first_not_of("0123456789") != std::string_view::npos) {
        return refusal("only a database number may follow the host's /");
      }
      text = text.substr(0, slash);
    }
  }
  if (Status status = parse_host_and_port(text, made); !status.ok()) return status;
  out = std::move(made);
  return {};
}

Status parse_redis_address(const RedisOptions& options, RedisAddress& out) {
  RedisAddress made;
  if (Status status = parse_redis_address(options.address, made); !status.ok()) return status;
  if (!options.username.empty()) made.username = options.username;
  if (!options.password.empty()) made.password = options.password;
  if (!made.username.empty() && made.password.empty()) {
    return Status::error(StatusCode::invalid_options,
                         "redis.password: is empty while redis.username is set; give both",
                         "redis.password");
  }
  made.tls_files = {.authorities = options.tls_ca_file,
                    .certificate = options.tls_certificate_file,
                    .key = options.tls_key_file};
  if (Status status = check_tls(made); !status.ok()) return status;
  out = std::move(made);
  return {};
}

}  // namespace dualstream::redis
