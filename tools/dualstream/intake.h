// Intake reads the inputs, a thread for each of several at a time, and hands every line on.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bad_lines.h"
#include "checkpoint.h"
#include "dualstream/outcome.h"
#include "line_reader.h"
#include "stop_request.h"

namespace dualstream::command {

// Where an intake thread's lines go: a Publisher, or a fake in a test.
//
// Thread: one at a time.
class LineTaker {
 public:
  virtual ~LineTaker() = default;

  // As Publisher::publish_json().
  virtual PublishResult take(std::string_view line, std::uint64_t tag,
                             std::chrono::milliseconds timeout) = 0;
  [[nodiscard]] virtual std::string_view refusal_reason() const = 0;
};

struct IntakeOptions {
  std::size_t threads = 1;
  LineReaderOptions reader;
  Checkpoint* checkpoint = nullptr;  // Where each input goes on, and who hears of its lines.
};

struct IntakeCounts {
  std::uint64_t lines = 0;  // Read, blank and bad ones too.
  std::uint64_t blank = 0;
  std::uint64_t bytes = 0;
  std::uint64_t left = 0;  // Lines read from a pipe that could not be published any more.
};

// How far an input was read.
enum class InputState : std::uint8_t { waiting, finished, stopped, failed };

struct InputProgress {
  InputState state = InputState::waiting;
  std::uint64_t next_line = 1;  // The first that was not published.
  std::string error;            // Of `failed`.
};

// Thread:   one; counts() on any.
// Lifetime: what it is given outlives it.
class Intake {
 public:
  using MakeTaker = std::function<std::unique_ptr<LineTaker>()>;

  // `inputs` are names of files, "-" for stdin.
  Intake(const std::vector<std::string>& inputs, const IntakeOptions& options, BadLines& bad_lines,
         StopRequest& stop);
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // Reads everything, or until a stop is requested. Each thread takes its lines to a taker of its
  // own. An input that fails does not keep the others from being read. An error means that
  // the system refused every thread, and then nothing was read.
  [[nodiscard]] Status run(const MakeTaker& make_taker);

  [[nodiscard]] IntakeCounts counts() const;

  // One for each input; after run().
  [[nodiscard]] const std::vector<InputProgress>& progress() const noexcept { return progress_; }

 private:
  // Written by one thread, read by others.
  struct alignas(64) Counters {
    std::atomic<std::uint64_t> lines{0};
    std::atomic<std::uint64_t> blank{0};
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> left{0};
  };
  class Reader;

  const std::vector<std::string>& inputs_;
  const IntakeOptions options_;
  BadLines& bad_lines_;
  StopRequest& stop_;

  // Each entry is written by the thread that reads the input.
  std::vector<InputProgress> progress_;
  std::vector<Counters> counters_;
  std::atomic<std::size_t> next_input_{0};
};

}  // namespace dualstream::command
