#include "network_probe.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "text.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

std::string numeric(const addrinfo& address) {
  std::array<char, NI_MAXHOST> host{};
  const int error = ::getnameinfo(address.ai_addr, address.ai_addrlen, host.data(),
                                  static_cast<socklen_t>(host.size()), nullptr, 0, NI_NUMERICHOST);
  return error == 0 ? host.data() : "?";
}

// 0, or the errno.
int try_connect(const addrinfo& address, milliseconds timeout) {
  const int fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int error = ::connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
    socklen_t size = sizeof error;
    error = ETIMEDOUT;
    if (::poll(&ready, 1, static_cast<int>(timeout.count())) == 1 &&
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
      error = errno;
    }
  }
  ::close(fd);
  return error;
}

std::string text_of(const HostPort& place) {
  const bool brackets = place.host.find(':') != std::string::npos;
  return concat({brackets ? "[" : "", place.host, brackets ? "]" : "", ":", place.port});
}

std::string took(Clock::time_point start) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms",
                std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  return text.data();
}

Finding connect_one(const HostPort& place, const addrinfo* addresses, const std::string& prefix,
                    milliseconds timeout) {
  std::string refusals;
  for (const addrinfo* each = addresses; each != nullptr; each = each->ai_next) {
    const Clock::time_point start = Clock::now();
    const int error = try_connect(*each, timeout);
    if (error == 0) {
      return {.verdict = Verdict::ok,
              .question = prefix + ".connect",
              .answer = concat({text_of(place), " (", numeric(*each), ") in ", took(start)})};
    }
    refusals += concat({refusals.empty() ? "" : "; ", numeric(*each), ": ",
                        std::generic_category().message(error)});
  }
  return {.verdict = Verdict::failed,
          .question = prefix + ".connect",
          .answer = concat({text_of(place), ": ", refusals}),
          .fix = "Start the server, or correct the address; a time-out speaks for a firewall."};
}

}  // namespace

std::vector<HostPort> host_ports(const std::string& list, const std::string& port) {
  std::vector<HostPort> places;
  std::size_t begin = 0;
  while (begin < list.size()) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string place = list.substr(begin, end - begin);
    begin = end + 1;
    if (const std::size_t scheme = place.find("://"); scheme != std::string::npos) {
      place.erase(0, scheme + 3);
    }
    while (place.starts_with(' ')) place.erase(0, 1);
    while (place.ends_with(' ')) place.pop_back();
    if (place.empty()) continue;
    const std::size_t bracket = place.find(']');
    const std::size_t colon = place.rfind(':');
    const bool has_port =
        colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
    std::string host = has_port ? place.substr(0, colon) : place;
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    places.push_back({.host = host, .port = has_port ? place.substr(colon + 1) : port});
  }
  return places;
}

bool check_network(const std::vector<HostPort>& places, const std::string& prefix,
                   milliseconds timeout, DoctorReport& report) {
  DoctorReport found;
  bool connected = false;
  for (const HostPort& place : places) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int error = ::getaddrinfo(place.host.c_str(), place.port.c_str(), &hints, &list);
    const Addresses addresses{list};
    if (error != 0) {
      found.push_back({.verdict = Verdict::failed,
                       .question = prefix + ".resolve",
                       .answer = concat({place.host, ": ", ::gai_strerror(error)}),
                       .fix = "Correct the name, or see to DNS and /etc/hosts."});
      continue;
    }
    std::string all;
    for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
      all += concat({all.empty() ? "" : ", ", numeric(*each)});
    }
    found.push_back({.verdict = Verdict::ok,
                     .question = prefix + ".resolve",
                     .answer = concat({place.host, " is ", all})});
    found.push_back(connect_one(place, list, prefix, timeout));
    connected = connected || found.back().verdict == Verdict::ok;
  }
  for (Finding& finding : found) {
    if (connected && finding.verdict == Verdict::failed) finding.verdict = Verdict::warning;
    report.push_back(std::move(finding));
  }
  return connected;
}

}  // namespace dualstream::command
