#include "command/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>

namespace dualstream::testing {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
};

// Close-on-exec: no other child may hold an end open.
Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error{errno, std::generic_category(), "pipe2"};
  }
  return {.read = ends[0], .write = ends[1]};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments, const ProgramOptions& options) {
  // A program that ended early must not end the test.
  std::signal(SIGPIPE, SIG_IGN);
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO);
  if (options.stdout_file.empty()) {
    posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, options.stdout_file.c_str(), O_WRONLY,
                                     0);
  }
  posix_spawn_file_actions_adddup2(&actions, err.write, STDERR_FILENO);
  // As a shell starts it: no signal blocked, none ignored.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  const std::string program = options.program.empty() ? DUALSTREAM_PROGRAM : options.program;
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = options.environment;
  const int error = ::posix_spawn(&pid_, program.c_str(), &actions, &attributes,
                                  pointers(words).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  for (const int end : {in.read, out.write, err.write}) ::close(end);
  stdin_ = in.write;
  stdout_ = out.read;
  stderr_ = err.read;
  if (error != 0) throw std::system_error{error, std::generic_category(), program};
  output_reader_ = std::thread{[this] { gather(stdout_, output_); }};
  error_reader_ = std::thread{[this] { gather(stderr_, errors_); }};
}

Program::~Program() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    wait();
  }
  for (const int end : {stdin_, stdout_, stderr_}) {
    if (end >= 0) ::close(end);
  }
}

void Program::write(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t size = ::write(stdin_, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;  // It has ended; its exit code says why.
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

bool Program::wait_for_error(std::string_view text) {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, std::chrono::seconds{60}, [this, text] {
    return errors_.find(text) != std::string::npos || open_streams_ == 0;
  });
  return errors_.find(text) != std::string::npos;
}

std::string Program::errors() {
  const std::lock_guard lock{mutex_};
  return errors_;
}

void Program::send(int signal) const { ::kill(pid_, signal); }

ProgramEnd Program::finish() {
  ::close(stdin_);
  stdin_ = -1;
  return wait();
}

ProgramEnd Program::wait() {
  output_reader_.join();
  error_reader_.join();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .output = output_,
          .errors = errors_};
}

void Program::gather(int fd, std::string& into) {
  std::array<char, 1 << 16> block{};
  while (true) {
    const ssize_t size = ::read(fd, block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    const std::lock_guard lock{mutex_};
    if (size > 0) {
      into.append(block.data(), static_cast<std::size_t>(size));
    } else {
      open_streams_ -= 1;
    }
    changed_.notify_all();
    if (size <= 0) return;
  }
}

ProgramEnd run_program(const std::vector<std::string>& arguments, std::string_view input,
                       const ProgramOptions& options) {
  Program program{arguments, options};
  program.write(input);
  return program.finish();
}

}  // namespace dualstream::testing
