#include "support/servers.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "support/command.h"

namespace dualstream::testing {
namespace {

std::string script() { return source_dir() + "/tools/servers"; }

// The NAME=value lines that tools/servers writes.
std::map<std::string, std::string> read_env(const std::string& dir) {
  std::map<std::string, std::string> values;
  std::ifstream file{dir + "/env"};
  for (std::string line; std::getline(file, line);) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) {
      values[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  return values;
}

void run_script(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{script()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const CommandResult result = run_command(command);
  if (result.exit_code != 0) {
    std::string text;
    for (const std::string& word : command) {
      text += word + ' ';
    }
    throw std::runtime_error{text + "failed with " + std::to_string(result.exit_code) + ": " +
                             result.output};
  }
}

}  // namespace

Servers::Servers(const std::vector<std::string>& up_options)
    : dir_{binary_dir() + "/test-servers/" + unique_name(program_invocation_short_name)} {
  std::vector<std::string> arguments{"up", "--dir", dir_, "--free-ports"};
  arguments.insert(arguments.end(), up_options.begin(), up_options.end());
  try {
    run_script(arguments);
  } catch (...) {
    (void)run_command({script(), "down", "--clean", "--dir", dir_});
    throw;
  }
  env_ = read_env(dir_);
}

Servers::~Servers() {
  try {
    run_script({"down", "--clean", "--dir", dir_});
  } catch (const std::exception&) {
    // The script has said why on stderr; `tools/servers sweep` takes down what is left.
  }
}

const std::string& Servers::brokers(std::string_view listener) const {
  return value("KAFKA_BROKERS_" + std::string{listener});
}

void Servers::run(std::string_view verb, std::string_view target, std::string_view option) const {
  std::vector<std::string> arguments{std::string{verb}, std::string{target}, "--dir", dir_};
  if (!option.empty()) {
    arguments.emplace_back(option);
  }
  run_script(arguments);
}

const std::string& Servers::value(const std::string& name) const {
  const auto found = env_.find(name);
  if (found == env_.end()) {
    throw std::runtime_error{dir_ + "/env has no " + name + "; was it asked for at `up`?"};
  }
  return found->second;
}

SharedServers::SharedServers() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables in a test.
  const char* given = std::getenv("DUALSTREAM_SERVERS_DIR");
  const std::string dir = given != nullptr ? given : binary_dir() + "/servers";
  std::map<std::string, std::string> env = read_env(dir);
  brokers_ = env["KAFKA_BROKERS"];
  redis_address_ = env["REDIS_ADDRESS"];
  if (brokers_.empty() || redis_address_.empty()) {
    throw std::runtime_error{"there are no servers in " + dir +
                             ". Run the test by ctest, or run '" + script() + " up --dir " + dir +
                             "' first."};
  }
}

std::string unique_name(std::string_view prefix) {
  static std::atomic<int> count{0};
  return std::string{prefix} + '-' + std::to_string(::getpid()) + '-' + std::to_string(++count);
}

}  // namespace dualstream::testing
