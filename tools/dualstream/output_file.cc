#include "output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "text.h"

namespace dualstream::command {
namespace {

// A crash or a full disk may have cut the last line short; what is appended must not become a part
// of it. The errno, or 0.
int end_last_line(const std::string& name, int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size == 0) return 0;
  const int reading = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (reading < 0) return 0;  // Who may write to it and not read it has to look after it alone.
  char last = '\n';
  const bool known = ::pread(reading, &last, 1, about.st_size - 1) == 1;
  ::close(reading);
  return known && last != '\n' && ::write(fd, "\n", 1) != 1 ? errno : 0;
}

}  // namespace

Status OutputFile::open(const std::string& name, std::function<void(const std::string&)> on_failure,
                        std::unique_ptr<OutputFile>& file) {
  const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) {
    return Status::error(
        StatusCode::invalid_options,
        concat({"cannot write to ", name, ": ", std::generic_category().message(errno)}));
  }
  if (const int error = end_last_line(name, fd); error != 0) {
    ::close(fd);
    return Status::error(
        StatusCode::invalid_options,
        concat({"cannot write to ", name, ": ", std::generic_category().message(error)}));
  }
  // tidy: allow(naked_new) the constructor is private
  file.reset(new OutputFile{name, fd, std::move(on_failure)});
  return {};
}

OutputFile::~OutputFile() { ::close(fd_); }

bool OutputFile::write(std::string_view lines) {
  const std::lock_guard lock{mutex_};
  return write_locked(lines);
}

bool OutputFile::sync() {
  const std::lock_guard lock{mutex_};
  if (failed()) return false;
  // A pipe or a terminal cannot be synced and need not be.
  if (::fdatasync(fd_) == 0 || errno == EINVAL || errno == EROFS) return true;
  return fail(errno);
}

bool OutputFile::write_locked(std::string_view bytes) {
  if (failed()) return false;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t size = ::write(fd_, rest.data(), rest.size());
    if (size >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(size));
      continue;
    }
    if (errno == EINTR) continue;
    const int error = errno;
    struct stat about {};
    const auto written = static_cast<off_t>(bytes.size() - rest.size());
    if (written > 0 && ::fstat(fd_, &about) == 0 && S_ISREG(about.st_mode)) {
      // If this fails too, a part of a line stays, which a reader sees as a line cut short.
      [[maybe_unused]] const int cut = ::ftruncate(fd_, about.st_size - written);
    }
    return fail(error);
  }
  return true;
}

bool OutputFile::fail(int error) {
  failed_.store(true, std::memory_order_release);
  on_failure_(concat({"cannot write to ", name_, ": ", std::generic_category().message(error)}));
  return false;
}

}  // namespace dualstream::command
