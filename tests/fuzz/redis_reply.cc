// Whatever a server says, in whatever pieces: replies or an end, and never one that is no reply to
// a publisher. The bytes go through a real socket, into hiredis as the engine uses it.
//
// The input's first byte is how large the pieces are.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "fuzz/require.h"
#include "redis/hiredis_connection.h"
#include "redis/pipeline.h"

using namespace dualstream::redis;  // NOLINT(google-build-using-namespace)
using dualstream::fuzz::require;

namespace {

// An address in the abstract namespace: no file to remove.
class Listener {
 public:
  Listener() : path_("/tmp/dualstream-fuzz-" + std::to_string(getpid())) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    unlink(path_.c_str());
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(fd_ >= 0, "there is a socket");
    require(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                listen(fd_, 8) == 0,
            "it can be listened on");
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    close(fd_);
    unlink(path_.c_str());
  }

  [[nodiscard]] int accept_one() const { return accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Listener listener;
  static const std::unique_ptr<RedisConnection> connection =
      make_hiredis_connection({.unix_path = listener.path()});
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0] % 64;
  connection->connect();
  const int server = listener.accept_one();
  require(server >= 0, "the connection arrives");
  require(connection->state() == LinkState::open, "it is open");
  std::array<Reply, 4> replies;
  std::size_t sent = 1;
  while (connection->state() == LinkState::open) {
    const std::size_t count = std::min(piece, size - sent);
    if (count == 0) {
      close(server);
    } else {
      require(send(server, data + sent, count, MSG_NOSIGNAL) == static_cast<ssize_t>(count),
              "a small piece is taken whole");
      sent += count;
    }
    std::size_t arrived = 0;
    do {
      arrived = connection->poll_replies(replies);
      for (std::size_t i = 0; i < arrived; ++i) {
        const Reply& reply = replies[i];
        require(reply.text.find("\r\n") == std::string::npos, "a reply ends with its line");
        for (const Command command : {Command::auth, Command::ping, Command::publish}) {
          const Answer answer = answer_of(command, reply);
          require(answer != Answer::done || reply.kind != ReplyKind::error,
                  "an error is no success");
        }
      }
    } while (arrived == replies.size());
    if (count == 0) {
      require(connection->state() == LinkState::closed,
              "the end of the stream ends the connection");
      require(!connection->failure().empty(), "and says why");
      return 0;
    }
  }
  require(!connection->failure().empty(), "a broken stream is said to be one");
  close(server);
  return 0;
}
