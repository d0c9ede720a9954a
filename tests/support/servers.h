// Servers are real Kafka brokers and a real redis-server that a test starts for itself and may
// kill, freeze and start again. SharedServers are those of the whole ctest run, which it may not.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dualstream::testing {

// Runs tools/servers in a folder of its own in the build tree, on free ports.
//
// Every call waits until what it asks for is so, and throws std::runtime_error when it does not
// come to pass; the script's own words are on stderr then. A target is "redis", "kafka" (every
// broker) or "kafka:N".
// Thread:   one thread at a time.
// Lifetime: the destructor takes the servers down and removes the folder.
class Servers {
 public:
  // `up_options` go to `tools/servers up`: {"--brokers", "3"}, {"--no-kafka"}, ...
  explicit Servers(const std::vector<std::string>& up_options = {});
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;
  ~Servers();

  // "127.0.0.1:port[,127.0.0.1:port...]"; the same for as long as this object lives.
  [[nodiscard]] const std::string& brokers() const { return value("KAFKA_BROKERS"); }
  // Of the listener that --kafka-listener asked for.
  [[nodiscard]] const std::string& brokers(std::string_view listener) const;
  [[nodiscard]] const std::string& redis_address() const { return value("REDIS_ADDRESS"); }
  [[nodiscard]] const std::string& dir() const { return dir_; }

  void kill(std::string_view target) { run("kill", target); }      // SIGKILL
  void freeze(std::string_view target) { run("freeze", target); }  // SIGSTOP
  void thaw(std::string_view target) { run("thaw", target); }      // SIGCONT
  void stop(std::string_view target) { run("stop", target); }      // SIGTERM
  // Same port, same data. Returns when the server answers.
  void start(std::string_view target) { run("start", target); }
  void start_without_waiting(std::string_view target) { run("start", target, "--no-wait"); }

  // A user of SCRAM-SHA-256, or another password for one.
  void set_scram_user(std::string_view name, std::string_view password) {
    run("scram-user", name, password);
  }

 private:
  void run(std::string_view verb, std::string_view target, std::string_view option = {}) const;
  [[nodiscard]] const std::string& value(const std::string& name) const;

  const std::string dir_;
  std::map<std::string, std::string> env_;
};

// One Kafka broker and one redis-server, started by the fixture `servers_up`. A test keeps to its
// own topic and its own channels.
//
// They are found in DUALSTREAM_SERVERS_DIR, which ctest sets, or in build/servers, for a test that
// is run by hand after `tools/servers up`.
class SharedServers {
 public:
  SharedServers();

  [[nodiscard]] const std::string& brokers() const { return brokers_; }
  [[nodiscard]] const std::string& redis_address() const { return redis_address_; }

 private:
  std::string brokers_;
  std::string redis_address_;
};

// A name that no other test and no other run uses: "<prefix>-<pid>-<n>". For topics and channels.
[[nodiscard]] std::string unique_name(std::string_view prefix);

}  // namespace dualstream::testing
