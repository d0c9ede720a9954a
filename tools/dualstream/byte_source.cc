#include "byte_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace dualstream::command {
namespace {

Status unreadable(const std::string& name, int error) {
  return Status::error(StatusCode::invalid_options,
                       "cannot read " + (name == "-" ? std::string{"stdin"} : name) + ": " +
                           std::generic_category().message(error));
}

}  // namespace

Status FileSource::open(const std::string& name, int stop_fd, std::unique_ptr<FileSource>& source) {
  // Without O_NONBLOCK, opening a named pipe would wait for its writer and not hear of a stop.
  // stdin stays as it is: it is shared with whoever started us.
  const int fd = name == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                             : ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return unreadable(name, errno);
  struct stat about {};
  const bool known = ::fstat(fd, &about) == 0;
  const bool regular = known && S_ISREG(about.st_mode);
  if (regular) {
    // Advice only: reading works as well if it is not taken.
    [[maybe_unused]] const int advised = ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  // tidy: allow(naked_new) the constructor is private
  source.reset(new FileSource{fd, stop_fd, regular});
  return {};
}

FileSource::~FileSource() { ::close(fd_); }

Status FileSource::seek(const std::string& name, std::uint64_t offset) const {
  return ::lseek(fd_, static_cast<off_t>(offset), SEEK_SET) >= 0 ? Status{}
                                                                 : unreadable(name, errno);
}

ReadAnswer FileSource::read(std::span<char> into) {
  while (true) {
    std::array<pollfd, 2> fds{{{.fd = fd_, .events = POLLIN, .revents = 0},
                               {.fd = stop_fd_, .events = POLLIN, .revents = 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return {.result = ReadResult::failed, .error = errno};
    }
    if (fds[1].revents != 0) return {.result = ReadResult::stopped};
    const ssize_t size = ::read(fd_, into.data(), into.size());
    if (size > 0) return {.result = ReadResult::bytes, .size = static_cast<std::size_t>(size)};
    if (size == 0) return {.result = ReadResult::end};
    if (errno != EINTR && errno != EAGAIN) return {.result = ReadResult::failed, .error = errno};
  }
}

Status check_input(const std::string& name, std::uint64_t& bytes) {
  bytes = 0;
  struct stat about {};
  if (name == "-") {
    return ::fstat(STDIN_FILENO, &about) == 0 ? Status{} : unreadable(name, errno);
  }
  if (::stat(name.c_str(), &about) != 0) return unreadable(name, errno);
  if (S_ISDIR(about.st_mode)) return unreadable(name, EISDIR);
  if (::faccessat(AT_FDCWD, name.c_str(), R_OK, AT_EACCESS) != 0) return unreadable(name, errno);
  if (S_ISREG(about.st_mode)) bytes = static_cast<std::uint64_t>(about.st_size);
  return {};
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat one {};
  struct stat other {};
  const auto look = [](const std::string& name, struct stat& about) {
    return (name == "-" ? ::fstat(STDIN_FILENO, &about) : ::stat(name.c_str(), &about)) == 0;
  };
  return look(a, one) && look(b, other) && S_ISREG(one.st_mode) && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

}  // namespace dualstream::command
