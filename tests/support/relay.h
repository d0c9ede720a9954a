// Relay is a TCP relay on loopback that does to a connection what networks do: cuts, swallows,
// delays, trickles, falls silent, resets, refuses, and leads to another server.
//
//   client  --- requests --->  Relay  --- requests --->  upstream
//           <--- replies ----         <--- replies ----
//
// Kafka's clients follow the address that a broker advertises: make the Relay first and start the
// broker with Relay::advertised().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace dualstream::testing {

// A number drawn anew for each connection, from `min` to `max`. {0, 0} means never.
struct RelayRange {
  std::size_t min = 0;
  std::size_t max = 0;
};

struct RelayDirection {
  // What is read is passed on this much later, give or take `jitter`, in order.
  std::chrono::milliseconds delay{0};
  std::chrono::milliseconds jitter{0};
  // 0: as fast as it goes.
  std::size_t bytes_per_second = 0;
  // At most so many bytes in one write, and a look at everything else before the next. 0: as many
  // as there are.
  std::size_t bytes_per_write = 0;
  // The connection is reset when so many bytes have passed.
  RelayRange cut_after{};
};

struct RelayFaults {
  RelayDirection requests{};
  // Where both directions have a cut, a connection gets one of the two.
  RelayDirection replies{};
  // A reply that follows at least so many bytes of requests is swallowed and the connection reset:
  // the server did what it was asked to, and the client will not know. 0: never.
  std::size_t swallow_reply_to_bytes = 0;
  // Put in between the replies, once for a connection, when so many bytes of them have passed.
  std::string garbage{};
  RelayRange garbage_after{};
  // Every connection there is is reset so often. 0: never.
  std::chrono::milliseconds reset_every{0};
  // After so many cuts, swallowed replies and garbage the rest passes unhurt. 0: no end.
  std::size_t faults_max = 0;
};

struct RelayCounts {
  std::size_t connections = 0;
  std::size_t cuts_in_requests = 0;
  std::size_t cuts_in_replies = 0;
  std::size_t swallowed = 0;
  std::size_t garbled = 0;
  std::size_t resets = 0;  // By reset_every and reset_connections().
  std::size_t request_bytes = 0;
  std::size_t reply_bytes = 0;

  [[nodiscard]] std::size_t cuts() const { return cuts_in_requests + cuts_in_replies; }
  [[nodiscard]] std::size_t faults() const { return cuts() + swallowed + garbled; }
};

// Thread: every member may be called from any thread; one of its own does the work.
class Relay {
 public:
  // Listens at once; without an upstream, connections are reset.
  explicit Relay(std::uint64_t seed);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  // "127.0.0.1:port"; the same for as long as this object lives.
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // For `tools/servers up --kafka-property`.
  [[nodiscard]] std::string advertised() const {
    return "advertised.listeners=PLAINTEXT://" + address();
  }

  // "127.0.0.1:port". Connections that there are stay with their server.
  void set_upstream(const std::string& address);

  // From now on, for the connections that there are, too; their bytes count from here.
  void set_faults(const RelayFaults& faults);
  void heal() { set_faults({}); }

  void reset_connections();
  // While true, nobody listens; connections that there are stay.
  void refuse_connections(bool refuse);
  // While true, no byte passes and nothing ends.
  void be_silent(bool silent);

  [[nodiscard]] RelayCounts counts() const;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Chunk {
    TimePoint due;
    std::string bytes;
    std::size_t sent = 0;
  };
  struct Flow {
    std::list<Chunk> chunks;
    std::size_t held = 0;
    std::size_t passed = 0;
    std::size_t cut_at = 0;
    double allowance = 0;  // Bytes that bytes_per_second has room for.
    TimePoint filled_at{};
    bool ended = false;    // The sender has closed.
    bool blocked = false;  // The receiver takes no more at present.
  };
  struct Connection {
    int client = -1;
    int upstream = -1;
    Flow requests;
    Flow replies;
    std::size_t asked = 0;  // Bytes of requests since the last reply.
    std::size_t garbage_at = 0;
    bool over = false;
  };

  void run();
  void wake() const;
  void listen(bool accepting);
  void accept_all();
  void draw(Connection& connection);
  void serve(Connection& connection, TimePoint now);
  void read(Connection& connection, bool replies, TimePoint now);
  void write(Connection& connection, bool replies, TimePoint now);
  void reset(Connection& connection);
  [[nodiscard]] bool may_fail() const;
  [[nodiscard]] std::size_t drawn(RelayRange range);
  [[nodiscard]] const RelayDirection& direction(bool replies) const;
  [[nodiscard]] int wait_ms(TimePoint now) const;

  int wake_ = -1;
  std::uint16_t port_ = 0;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  int listener_ = -1;
  bool accepting_ = true;
  std::uint16_t upstream_port_ = 0;
  RelayFaults faults_;
  std::size_t faults_before_ = 0;  // When the present faults were set.
  TimePoint reset_at_{};
  bool silent_ = false;
  bool stopping_ = false;
  std::mt19937_64 random_;
  std::list<Connection> connections_;
  RelayCounts counts_;

  std::thread thread_;
};

}  // namespace dualstream::testing
