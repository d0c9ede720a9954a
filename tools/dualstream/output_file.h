// OutputFile appends whole lines to a file, and never forgets an error.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "dualstream/status.h"

namespace dualstream::command {

// Thread: any.
class OutputFile {
 public:
  // Appends to what the file holds, whose last line is ended first if it lacks its newline.
  // `on_failure` is called once, from the write that failed, with a sentence.
  [[nodiscard]] static Status open(const std::string& name,
                                   std::function<void(const std::string&)> on_failure,
                                   std::unique_ptr<OutputFile>& file);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  // Writes all of `lines` or nothing: of a write that fails midway, the part is cut off again
  // (where the file is a regular one). After a failure nothing more is written and the answer is
  // false.
  bool write(std::string_view lines);

  // Makes sure that what was written survives a crash of the machine.
  bool sync();

  [[nodiscard]] bool failed() const noexcept { return failed_.load(std::memory_order_acquire); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // Keeps other writers out while a line is written in pieces. `lines` of write() are then parts of
  // one.
  class Hold {
   public:
    explicit Hold(OutputFile& file) : lock_(file.mutex_), file_(file) {}
    bool write(std::string_view part) { return file_.write_locked(part); }

   private:
    std::unique_lock<std::mutex> lock_;
    OutputFile& file_;
  };

 private:
  OutputFile(std::string name, int fd, std::function<void(const std::string&)> on_failure)
      : name_(std::move(name)), on_failure_(std::move(on_failure)), fd_(fd) {}

  bool write_locked(std::string_view bytes);
  bool fail(int error);

  const std::string name_;
  const std::function<void(const std::string&)> on_failure_;
  const int fd_;
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
};

}  // namespace dualstream::command
