#include "redis/hiredis_connection.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <string>
#include <system_error>
#include <utility>

#include <hiredis/hiredis.h>

namespace dualstream::redis {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
// What one call of receive_into() takes at the most, so that its caller can stay abreast.
constexpr std::size_t kReadsPerCall = 64;

// The longest line that a reply can be. Longer ones are no reply of Redis' to a publisher.
constexpr std::size_t kReplyLineBytesMax = 16 * 1024;

// A TLS session with the authorities of a usual system: some 150 certificates of 10 KiB.
constexpr std::size_t kTlsBytesMax = 2 * 1024 * 1024;

// Idle for this long, the system asks whether the other side still lives; then it asks three times.
constexpr int kKeepAliveSeconds = 15;
constexpr int kKeepAliveStepSeconds = 5;
constexpr int kKeepAliveProbes = 3;

struct FreeContext {
  void operator()(redisContext* context) const noexcept { redisFree(context); }
};
struct FreeReply {
  void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};

void append_number(std::string& out, std::size_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

std::string text_of(int error) { return std::generic_category().message(error); }

void prepare_socket(int fd, bool tcp) noexcept {
  // Each of these is an improvement that the connection can do without.
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (!tcp) return;
  const auto set = [fd](int level, int name, int value) {
    ::setsockopt(fd, level, name, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveSeconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveStepSeconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
}

class HiredisConnection final : public RedisConnection {
 public:
  explicit HiredisConnection(const RedisAddress& address) : address_(address) {}

  void connect() override;
  void close() noexcept override;
  [[nodiscard]] LinkState state() override;
  [[nodiscard]] std::string_view failure() const override { return failure_; }
  [[nodiscard]] bool has_room() const override { return output_.size() - sent_ < kOutputBytesMax; }
  void append(std::span<const std::string_view> command) override;
  std::size_t flush() override;
  [[nodiscard]] std::size_t poll_replies(std::span<Reply> out) override;
  [[nodiscard]] bool receive_into(std::string& bytes) override;
  [[nodiscard]] int fd() const override { return context_ ? context_->fd : -1; }
  [[nodiscard]] bool wants_write() const override {
    if (state_ == LinkState::connecting) return !tls_ || tls_wants_write_;
    return state_ == LinkState::open && sent_ < output_.size();
  }

 private:
  enum class Parsed { reply, nothing, broken };

  void fail(std::string reason);
  void finish_connect();
  void advance_handshake();
  void forget_output() noexcept;
  [[nodiscard]] Parsed parse(Reply& reply);
  [[nodiscard]] bool receive();
  // -1 with errno where a call of the system failed, or EPROTO where TLS did.
  [[nodiscard]] ssize_t send_some(std::string_view bytes);
  [[nodiscard]] ssize_t recv_some(char* buffer, std::size_t size);
  [[nodiscard]] ssize_t moved_by_tls(TlsSession::Progress progress, std::size_t moved);
  [[nodiscard]] std::string text_of_error(int error) const;
  [[nodiscard]] std::size_t read_some(char* buffer, std::size_t size);

  const RedisAddress address_;
  std::unique_ptr<redisContext, FreeContext> context_;
  std::unique_ptr<TlsSession> tls_;  // From the end of the connect on, if the address asks for it.
  bool tls_wants_write_ = false;     // During its handshake.
  LinkState state_ = LinkState::closed;
  std::string failure_;
  std::string output_;  // [0, sent_) has been sent.
  std::size_t sent_ = 0;
  bool write_failed_ = false;
};

void HiredisConnection::connect() {
  close();
  failure_.clear();
  const bool tcp = address_.unix_path.empty();
  context_.reset(tcp ? redisConnectNonBlock(address_.host.c_str(), address_.port)
                     : redisConnectUnixNonBlock(address_.unix_path.c_str()));
  if (!context_) {
    fail("out of memory");
    return;
  }
  if (context_->err != 0) {
    fail(context_->errstr);
    return;
  }
  prepare_socket(context_->fd, tcp);
  state_ = LinkState::connecting;
}

void HiredisConnection::close() noexcept {
  tls_.reset();
  context_.reset();
  state_ = LinkState::closed;
  forget_output();
}

void HiredisConnection::forget_output() noexcept {
  // One large command may have made it larger than it ever needs to be again.
  if (output_.capacity() > 2 * kOutputBytesMax) std::string{}.swap(output_);
  output_.clear();
  sent_ = 0;
  write_failed_ = false;
}

void HiredisConnection::fail(std::string reason) {
  close();
  failure_ = std::move(reason);
}

LinkState HiredisConnection::state() {
  if (state_ == LinkState::connecting && !tls_) finish_connect();
  if (state_ == LinkState::connecting && tls_) advance_handshake();
  return state_;
}

void HiredisConnection::finish_connect() {
  pollfd ready{context_->fd, POLLOUT, 0};
  if (::poll(&ready, 1, 0) <= 0) return;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) {
    fail(text_of(error));
  } else if (!address_.tls) {
    state_ = LinkState::open;
  } else {
    std::string failure;
    tls_ = TlsSession::make(address_.tls_files, context_->fd, address_.host, failure);
    if (!tls_) fail("TLS: " + failure);
  }
}

void HiredisConnection::advance_handshake() {
  const TlsSession::Progress progress = tls_->handshake();
  tls_wants_write_ = progress == TlsSession::Progress::wants_write;
  if (progress == TlsSession::Progress::done) state_ = LinkState::open;
  if (progress == TlsSession::Progress::ended) fail(std::string{tls_->failure()});
}

void HiredisConnection::append(std::span<const std::string_view> command) {
  if (state_ == LinkState::closed || write_failed_) return;  // Nobody will read it.
  const std::size_t before = output_.size();
  try {
    output_ += '*';
    append_number(output_, command.size());
    output_ += "\r\n";
    for (const std::string_view part : command) {
      output_ += '$';
      append_number(output_, part.size());
      output_ += "\r\n";
      output_ += part;
      output_ += "\r\n";
    }
  } catch (...) {
    output_.resize(before);  // Half a command would make one of the next.
    throw;
  }
}

std::size_t HiredisConnection::flush() {
  if (state_ != LinkState::open || write_failed_) return 0;
  std::size_t written = 0;
  while (sent_ < output_.size()) {
    const ssize_t count = send_some(std::string_view{output_}.substr(sent_));
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      // What the server said before it closed is still to be read: poll_replies() ends it.
      failure_ = text_of_error(errno);
      output_.clear();
      sent_ = 0;
      write_failed_ = true;
      return written;
    }
    sent_ += static_cast<std::size_t>(count);
    written += static_cast<std::size_t>(count);
  }
  if (sent_ == output_.size()) {
    forget_output();
  } else if (sent_ >= kOutputBytesMax) {
    output_.erase(0, sent_);
    sent_ = 0;
  }
  return written;
}

std::size_t HiredisConnection::poll_replies(std::span<Reply> out) {
  if (state_ != LinkState::open) return 0;
  std::size_t count = 0;
  while (count < out.size()) {
    const Parsed parsed = parse(out[count]);
    if (parsed == Parsed::reply) {
      count += 1;
    } else if (parsed == Parsed::broken || !receive()) {
      break;
    }
  }
  return count;
}

HiredisConnection::Parsed HiredisConnection::parse(Reply& reply) {
  redisReader& reader = *context_->reader;
  if (reader.pos == reader.len) return Parsed::nothing;
  // ridx is -1 between replies, as the parser is never called without bytes. Only one-line replies
  // are let through to it: a publisher is never sent another, and hiredis before 1.0.1 trusts the
  // sizes of arrays (CVE-2021-32765).
  if (reader.ridx == -1) {
    const char kind = reader.buf[reader.pos];
    if (kind != ':' && kind != '+' && kind != '-') {
      fail("protocol error: a reply of an unexpected kind");
      return Parsed::broken;
    }
  }
  void* object = nullptr;
  if (redisReaderGetReply(&reader, &object) != REDIS_OK) {
    fail(std::string{"protocol error: "} + reader.errstr);
    return Parsed::broken;
  }
  if (object == nullptr) {
    if (reader.len - reader.pos > kReplyLineBytesMax) {
      fail("protocol error: a reply without an end");
      return Parsed::broken;
    }
    return Parsed::nothing;
  }
  const std::unique_ptr<redisReply, FreeReply> owned{static_cast<redisReply*>(object)};
  if (owned->type == REDIS_REPLY_INTEGER) {
    reply.kind = ReplyKind::integer;
    reply.integer = owned->integer;
    reply.text.clear();
    return Parsed::reply;
  }
  reply.kind = owned->type == REDIS_REPLY_ERROR ? ReplyKind::error : ReplyKind::status;
  reply.integer = 0;
  reply.text.assign(owned->str, owned->len);
  return Parsed::reply;
}

// False when there is nothing to read at present, or the connection has ended.
bool HiredisConnection::receive() {
  char buffer[kReadBytes];
  const std::size_t count = read_some(buffer, sizeof buffer);
  if (count == 0) return false;
  if (redisReaderFeed(context_->reader, buffer, count) == REDIS_OK) return true;
  fail("out of memory");
  return false;
}

bool HiredisConnection::receive_into(std::string& bytes) {
  if (state_ != LinkState::open) return false;
  const std::size_t before = bytes.size();
  for (std::size_t reads = 0; reads < kReadsPerCall; ++reads) {
    char buffer[kReadBytes];
    const std::size_t count = read_some(buffer, sizeof buffer);
    bytes.append(buffer, count);
    if (count < sizeof buffer) break;
  }
  return bytes.size() > before;
}

// 0 when there is nothing to read at present, or the connection has ended.
std::size_t HiredisConnection::read_some(char* buffer, std::size_t size) {
  ssize_t count = 0;
  do {
    count = recv_some(buffer, size);
  } while (count < 0 && errno == EINTR);
  if (count > 0) return static_cast<std::size_t>(count);
  if (write_failed_) {
    fail(failure_);
  } else if (count == 0) {
    fail("the server closed the connection");
  } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
    fail(text_of_error(errno));
  }
  return 0;
}

ssize_t HiredisConnection::send_some(std::string_view bytes) {
  if (!tls_) return ::send(context_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  std::size_t moved = 0;
  const TlsSession::Progress progress = tls_->write(bytes, moved);
  return moved_by_tls(progress, moved);
}

ssize_t HiredisConnection::recv_some(char* buffer, std::size_t size) {
  if (!tls_) return ::recv(context_->fd, buffer, size, 0);
  std::size_t moved = 0;
  const TlsSession::Progress progress = tls_->read(buffer, size, moved);
  return moved_by_tls(progress, moved);
}

ssize_t HiredisConnection::moved_by_tls(TlsSession::Progress progress, std::size_t moved) {
  if (progress == TlsSession::Progress::done) return static_cast<ssize_t>(moved);
  errno = progress == TlsSession::Progress::ended ? EPROTO : EAGAIN;
  return -1;
}

std::string HiredisConnection::text_of_error(int error) const {
  return tls_ && error == EPROTO ? std::string{tls_->failure()} : text_of(error);
}

}  // namespace

bool RedisConnection::receive_into(std::string& /*bytes*/) { return false; }

std::unique_ptr<RedisConnection> make_hiredis_connection(const RedisAddress& address) {
  return std::make_unique<HiredisConnection>(address);
}

std::size_t hiredis_connection_bytes_max(std::size_t command_bytes_max) noexcept {
  return
      // What waits to be sent and what was sent before it; strings grow by doubling.
      2 * (2 * kOutputBytesMax + command_bytes_max)
      // hiredis' reply buffer, likewise, and what one read brings.
      + 2 * (kReplyLineBytesMax + kReadBytes) + kReadBytes + kTlsBytesMax;
}

std::string hiredis_version() {
  return std::to_string(HIREDIS_MAJOR) + "." + std::to_string(HIREDIS_MINOR) + "." +
         std::to_string(HIREDIS_PATCH);
}

}  // namespace dualstream::redis
