// RedisServerProcess is a real redis-server for one test: on a port of its own of the loopback and
// on a unix socket, in a directory that goes with it.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::redis {

// Looks again and again until `condition` holds; false when it did not in `limit`.
inline bool eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds limit = std::chrono::seconds{20}) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    // tidy: allow(sleep) a real server tells nobody when it has changed
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// A socket that listens on a free port of the loopback.
inline int listen_on_loopback() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(0);
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(fd, 16), 0);
  return fd;
}

inline std::uint16_t free_port() {
  const int fd = listen_on_loopback();
  const std::uint16_t port = port_of(fd);
  ::close(fd);
  return port;
}

// One blocking connection that speaks inline commands: all that a test needs of a second client.
class PlainClient {
 public:
  explicit PlainClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(port);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~PlainClient() { ::close(fd_); }
  PlainClient(const PlainClient&) = delete;
  PlainClient& operator=(const PlainClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  void send(const std::string& command) {
    const std::string line = command + "\r\n";
    ::send(fd_, line.data(), line.size(), MSG_NOSIGNAL);
  }

  // The next line, without its end; empty when the connection ended or nothing came in time.
  std::string line() {
    for (;;) {
      const std::size_t end = received_.find("\r\n");
      if (end != std::string::npos) {
        std::string first = received_.substr(0, end);
        received_.erase(0, end + 2);
        return first;
      }
      std::array<char, 4096> buffer;
      const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (count <= 0) return {};
      received_.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  std::string ask(const std::string& command) {
    send(command);
    return line();
  }

  void subscribe(const std::string& channel) {
    send("SUBSCRIBE " + channel);
    for (int i = 0; i < 6; ++i) (void)line();  // *3, $9, subscribe, $n, channel, :1
  }

  // The next message of the channel subscribed to.
  std::string message() {
    for (int i = 0; i < 6; ++i) (void)line();  // *3, $7, message, $n, channel, $n
    return line();
  }

 private:
  int fd_;
  bool connected_ = false;
  std::string received_;
};

// Lifetime: the server is killed and its directory removed by the destructor; it dies too when the
// test dies.
class RedisServerProcess {
 public:
  explicit RedisServerProcess(const std::vector<std::string>& more_arguments = {})
      : port_(free_port()) {
    std::string form =
        (std::filesystem::temp_directory_path() / "dualstream-redis-XXXXXX").string();
    if (::mkdtemp(form.data()) != nullptr) directory_ = form;
    std::vector<std::string> arguments = {"redis-server",
                                          "--port",
                                          std::to_string(port_),
                                          "--bind",
                                          "127.0.0.1",
                                          "--unixsocket",
                                          unix_path(),
                                          "--dir",
                                          directory_,
                                          "--save",
                                          "",
                                          "--appendonly",
                                          "no",
                                          "--daemonize",
                                          "no",
                                          "--logfile",
                                          directory_ + "/log"};
    arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
    std::vector<char*> raw;
    for (std::string& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(126);
      ::execvp(raw[0], raw.data());
      ::_exit(127);
    }
    EXPECT_TRUE(eventually([this] {
      PlainClient client{port_};
      return client.connected() && !client.ask("PING").empty();
    })) << "redis-server does not start: is it installed?";
  }

  ~RedisServerProcess() {
    kill();
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }

  RedisServerProcess(const RedisServerProcess&) = delete;
  RedisServerProcess& operator=(const RedisServerProcess&) = delete;

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  void freeze() { ::kill(pid_, SIGSTOP); }
  void thaw() { ::kill(pid_, SIGCONT); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string unix_path() const { return directory_ + "/redis.sock"; }

 private:
  std::uint16_t port_;
  std::string directory_;
  pid_t pid_ = -1;
};

}  // namespace dualstream::redis
