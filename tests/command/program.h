// Program is the command itself, or an example, running, with its three streams in the hands of the
// test.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace dualstream::testing {

struct ProgramOptions {
  // Another program than the command.
  std::string program{};
  // NAME=VALUE; besides these it has no environment.
  std::vector<std::string> environment{};
  // Where stdout goes; empty: to finish().
  std::string stdout_file{};
};

struct ProgramEnd {
  // The program's, or 128 + the signal that ended it.
  int exit_code = 0;
  std::string output;
  std::string errors;
};

// Thread:   one thread at a time.
// Lifetime: the destructor kills it if finish() was not called.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments, const ProgramOptions& options = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  // To its stdin, which stays open.
  void write(std::string_view text) const;

  // Waits until its stderr holds `text`. False if it ended without.
  [[nodiscard]] bool wait_for_error(std::string_view text);

  // What its stderr holds so far.
  [[nodiscard]] std::string errors();

  void send(int signal) const;

  // Closes its stdin and waits for its end.
  ProgramEnd finish();

  // As finish(), but its stdin stays open meanwhile.
  ProgramEnd wait();

 private:
  void gather(int fd, std::string& into);

  pid_t pid_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  int stderr_ = -1;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string output_;
  std::string errors_;
  int open_streams_ = 2;

  std::thread output_reader_;
  std::thread error_reader_;
};

// Runs it to its end with `input` as its stdin.
ProgramEnd run_program(const std::vector<std::string>& arguments, std::string_view input = {},
                       const ProgramOptions& options = {});

}  // namespace dualstream::testing
