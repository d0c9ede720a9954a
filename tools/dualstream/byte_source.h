// ByteSource is where a LineReader gets its bytes; FileSource is the real one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "dualstream/status.h"

namespace dualstream::command {

enum class ReadResult : std::uint8_t {
  bytes,    // `size` of them, at least one.
  end,      // There are no more.
  stopped,  // The stop descriptor became readable first.
  failed,   // `error` is the errno.
};

struct ReadAnswer {
  ReadResult result = ReadResult::end;
  std::size_t size = 0;
  int error = 0;
};

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Reads what there is, up to `into.size()` bytes; waits when there is none.
  virtual ReadAnswer read(std::span<char> into) = 0;
};

// A file, a pipe, a terminal or stdin.
//
// Thread: one at a time.
class FileSource final : public ByteSource {
 public:
  // "-" is stdin. `stop_fd` ends a wait. The Status names the file and the reason.
  [[nodiscard]] static Status open(const std::string& name, int stop_fd,
                                   std::unique_ptr<FileSource>& source);
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override;

  ReadAnswer read(std::span<char> into) override;

  // Goes on reading at `offset`, which a file on a disk allows.
  [[nodiscard]] Status seek(const std::string& name, std::uint64_t offset) const;

  // To look at the file; it stays the source's.
  [[nodiscard]] int fd() const noexcept { return fd_; }

  // A file on a disk: what was not read is still there. A pipe's bytes are gone once read.
  [[nodiscard]] bool is_regular() const noexcept { return regular_; }

 private:
  FileSource(int fd, int stop_fd, bool regular) noexcept
      : fd_(fd), stop_fd_(stop_fd), regular_(regular) {}

  const int fd_;
  const int stop_fd_;
  const bool regular_;
};

// Whether `name` can be read, as far as one can know without opening it (a named pipe's writer
// would notice), and its size if it is a regular file, else 0.
[[nodiscard]] Status check_input(const std::string& name, std::uint64_t& bytes);

// Whether both names lead to the same regular file.
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);

}  // namespace dualstream::command
