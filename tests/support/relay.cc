#include "support/relay.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace dualstream::testing {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 64 * 1024;
// More is not read: a slow receiver slows the sender.
constexpr std::size_t kHeldBytesMax = 256 * 1024;
constexpr std::size_t kHeldBytesMaxWhenLimited = 16 * 1024;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set_option(int socket, int level, int name, int value) {
  ::setsockopt(socket, level, name, &value, sizeof value);
}

void close_with_reset(int socket) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(socket);
}

}  // namespace

Relay::Relay(std::uint64_t seed) : random_(seed) {
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  listen(true);
  thread_ = std::thread{[this] { run(); }};
}

Relay::~Relay() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake();
  thread_.join();
  for (Connection& connection : connections_) reset(connection);
  ::close(listener_);
  ::close(wake_);
}

// A socket that is bound and does not listen keeps the port and refuses who comes.
void Relay::listen(bool accepting) {
  if (listener_ >= 0) {
    // At once, also when the relay's thread is just polling it.
    ::shutdown(listener_, SHUT_RDWR);
    ::close(listener_);
  }
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  set_option(listener_, SOL_SOCKET, SO_REUSEADDR, 1);
  sockaddr_in address = loopback(port_);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      (accepting && ::listen(listener_, 64) != 0)) {
    throw std::system_error{errno, std::generic_category(), "the relay cannot listen"};
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  accepting_ = accepting;
}

void Relay::set_upstream(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) throw std::runtime_error{"'" + address + "' is not host:port"};
  const std::lock_guard lock{mutex_};
  upstream_port_ = static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1)));
}

void Relay::set_faults(const RelayFaults& faults) {
  {
    const std::lock_guard lock{mutex_};
    faults_ = faults;
    faults_before_ = counts_.faults();
    reset_at_ = steady_clock::now() + faults.reset_every;
    for (Connection& connection : connections_) draw(connection);
  }
  wake();
}

void Relay::reset_connections() {
  {
    const std::lock_guard lock{mutex_};
    for (Connection& connection : connections_) {
      if (connection.over) continue;
      reset(connection);
      counts_.resets += 1;
    }
  }
  wake();
}

void Relay::refuse_connections(bool refuse) {
  {
    const std::lock_guard lock{mutex_};
    if (accepting_ == refuse) listen(!refuse);
  }
  wake();
}

void Relay::be_silent(bool silent) {
  {
    const std::lock_guard lock{mutex_};
    silent_ = silent;
  }
  wake();
}

RelayCounts Relay::counts() const {
  const std::lock_guard lock{mutex_};
  return counts_;
}

void Relay::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t size = ::write(wake_, &one, sizeof one);
}

void Relay::run() {
  std::vector<pollfd> descriptors;
  while (true) {
    int timeout = -1;
    descriptors.clear();
    descriptors.push_back({.fd = wake_, .events = POLLIN, .revents = 0});
    {
      const std::lock_guard lock{mutex_};
      if (stopping_) return;
      timeout = wait_ms(steady_clock::now());
      if (accepting_) descriptors.push_back({.fd = listener_, .events = POLLIN, .revents = 0});
      for (const Connection& connection : connections_) {
        if (silent_) break;
        for (const bool replies : {false, true}) {
          const Flow& flow = replies ? connection.replies : connection.requests;
          const Flow& back = replies ? connection.requests : connection.replies;
          const bool limited = direction(replies).bytes_per_second != 0;
          const bool reads =
              !flow.ended && flow.held < (limited ? kHeldBytesMaxWhenLimited : kHeldBytesMax);
          short events = reads ? POLLIN : 0;
          if (back.blocked) events |= POLLOUT;
          if (events == 0) continue;
          descriptors.push_back({.fd = replies ? connection.upstream : connection.client,
                                 .events = events,
                                 .revents = 0});
        }
      }
    }
    ::poll(descriptors.data(), descriptors.size(), timeout);
    std::uint64_t ignored = 0;
    [[maybe_unused]] const ssize_t size = ::read(wake_, &ignored, sizeof ignored);

    const std::lock_guard lock{mutex_};
    const TimePoint now = steady_clock::now();
    accept_all();
    if (faults_.reset_every != milliseconds{0} && now >= reset_at_) {
      reset_at_ = now + faults_.reset_every;
      for (Connection& connection : connections_) {
        if (connection.over) continue;
        reset(connection);
        counts_.resets += 1;
      }
    }
    if (!silent_) {
      for (Connection& connection : connections_) serve(connection, now);
    }
    std::erase_if(connections_, [](const Connection& connection) { return connection.over; });
  }
}

// How long nothing has to be done unless a socket says so.
int Relay::wait_ms(TimePoint now) const {
  TimePoint next = TimePoint::max();
  if (faults_.reset_every != milliseconds{0}) next = reset_at_;
  for (const Connection& connection : connections_) {
    if (silent_) break;
    for (const bool replies : {false, true}) {
      const Flow& flow = replies ? connection.replies : connection.requests;
      if (flow.chunks.empty() || flow.blocked) continue;
      // With a limit, a few bytes become free within a millisecond or ten.
      const bool limited = direction(replies).bytes_per_second != 0;
      next = std::min(next, std::max(flow.chunks.front().due,
                                     now + (limited ? milliseconds{5} : milliseconds{0})));
    }
  }
  if (next == TimePoint::max()) return -1;
  const auto wait = duration_cast<milliseconds>(next - now + milliseconds{1}).count();
  return next <= now ? 0 : static_cast<int>(wait);
}

void Relay::accept_all() {
  while (accepting_) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    counts_.connections += 1;
    const int upstream = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(upstream_port_);
    if (upstream_port_ == 0 ||
        ::connect(upstream, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close_with_reset(client);
      ::close(upstream);
      continue;
    }
    for (const int socket : {client, upstream}) set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    Connection& connection = connections_.emplace_back();
    connection.client = client;
    connection.upstream = upstream;
    draw(connection);
  }
}

void Relay::draw(Connection& connection) {
  const TimePoint now = steady_clock::now();
  for (Flow* flow : {&connection.requests, &connection.replies}) {
    flow->passed = 0;
    flow->allowance = 0;
    flow->filled_at = now;
  }
  connection.asked = 0;
  connection.requests.cut_at = drawn(faults_.requests.cut_after);
  connection.replies.cut_at = drawn(faults_.replies.cut_after);
  if (connection.requests.cut_at != 0 && connection.replies.cut_at != 0) {
    (random_() % 2 == 0 ? connection.requests : connection.replies).cut_at = 0;
  }
  connection.garbage_at = drawn(faults_.garbage_after);
}

void Relay::serve(Connection& connection, TimePoint now) {
  for (const bool replies : {false, true}) {
    if (!connection.over) read(connection, replies, now);
    if (!connection.over) write(connection, replies, now);
  }
  for (const Flow* flow : {&connection.requests, &connection.replies}) {
    if (connection.over || !flow->ended || !flow->chunks.empty()) continue;
    ::close(connection.client);
    ::close(connection.upstream);
    connection.over = true;
  }
}

void Relay::read(Connection& connection, bool replies, TimePoint now) {
  Flow& flow = replies ? connection.replies : connection.requests;
  const RelayDirection& way = direction(replies);
  const std::size_t held_max = way.bytes_per_second != 0 ? kHeldBytesMaxWhenLimited : kHeldBytesMax;
  std::array<char, kReadBytes> block;
  while (!flow.ended && flow.held < held_max) {
    const int from = replies ? connection.upstream : connection.client;
    const ssize_t size =
        ::recv(from, block.data(), std::min(block.size(), held_max - flow.held), MSG_DONTWAIT);
    if (size <= 0) {
      const bool later = size < 0 && (errno == EAGAIN || errno == EINTR);
      flow.ended = !later;
      return;
    }
    if (replies) {
      if (faults_.swallow_reply_to_bytes != 0 && may_fail() &&
          connection.asked >= faults_.swallow_reply_to_bytes) {
        counts_.swallowed += 1;
        reset(connection);
        return;
      }
      connection.asked = 0;
    }
    TimePoint due = now + way.delay;
    if (way.jitter != milliseconds{0}) {
      const auto spread = static_cast<std::uint64_t>(2 * way.jitter.count() + 1);
      due += milliseconds{static_cast<std::int64_t>(random_() % spread)} - way.jitter;
    }
    if (!flow.chunks.empty()) due = std::max(due, flow.chunks.back().due);
    flow.chunks.push_back(
        {.due = due, .bytes = std::string{block.data(), static_cast<std::size_t>(size)}});
    flow.held += static_cast<std::size_t>(size);
  }
}

void Relay::write(Connection& connection, bool replies, TimePoint now) {
  Flow& flow = replies ? connection.replies : connection.requests;
  const RelayDirection& way = direction(replies);
  const int to = replies ? connection.client : connection.upstream;
  if (way.bytes_per_second != 0) {
    const std::chrono::duration<double> since = now - flow.filled_at;
    const auto rate = static_cast<double>(way.bytes_per_second);
    flow.allowance = std::min(flow.allowance + since.count() * rate, rate / 4);
    flow.filled_at = now;
  }
  flow.blocked = false;
  while (!flow.chunks.empty() && flow.chunks.front().due <= now) {
    Chunk& chunk = flow.chunks.front();
    std::size_t size = chunk.bytes.size() - chunk.sent;
    if (way.bytes_per_write != 0) size = std::min(size, way.bytes_per_write);
    if (way.bytes_per_second != 0) {
      size = std::min(size, static_cast<std::size_t>(flow.allowance));
      if (size == 0) return;
    }
    if (flow.cut_at > flow.passed && may_fail()) size = std::min(size, flow.cut_at - flow.passed);
    const bool garbage_ahead = replies && connection.garbage_at > flow.passed && may_fail();
    if (garbage_ahead) size = std::min(size, connection.garbage_at - flow.passed);
    const ssize_t sent =
        ::send(to, chunk.bytes.data() + chunk.sent, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      flow.blocked = errno == EAGAIN || errno == EINTR;
      if (!flow.blocked) {
        flow.ended = true;
        flow.chunks.clear();
        flow.held = 0;
      }
      return;
    }
    const auto count = static_cast<std::size_t>(sent);
    chunk.sent += count;
    flow.held -= count;
    flow.passed += count;
    if (way.bytes_per_second != 0) flow.allowance -= static_cast<double>(count);
    (replies ? counts_.reply_bytes : counts_.request_bytes) += count;
    if (!replies) connection.asked += count;
    if (chunk.sent == chunk.bytes.size()) flow.chunks.pop_front();
    if (garbage_ahead && flow.passed == connection.garbage_at) {
      counts_.garbled += 1;
      [[maybe_unused]] const ssize_t garbage =
          ::send(to, faults_.garbage.data(), faults_.garbage.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (flow.cut_at != 0 && flow.passed == flow.cut_at && may_fail()) {
      (replies ? counts_.cuts_in_replies : counts_.cuts_in_requests) += 1;
      reset(connection);
      return;
    }
    if (way.bytes_per_write != 0) return;
  }
}

// The server keeps what it was sent, and the client is told that the connection is no more.
void Relay::reset(Connection& connection) {
  if (connection.over) return;
  close_with_reset(connection.client);
  ::close(connection.upstream);
  connection.over = true;
}

bool Relay::may_fail() const {
  return faults_.faults_max == 0 || counts_.faults() - faults_before_ < faults_.faults_max;
}

std::size_t Relay::drawn(RelayRange range) {
  if (range.max == 0) return 0;
  return range.min + static_cast<std::size_t>(random_() % (range.max - range.min + 1));
}

const RelayDirection& Relay::direction(bool replies) const {
  return replies ? faults_.replies : faults_.requests;
}

}  // namespace dualstream::testing
