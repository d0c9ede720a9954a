#include "state_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "text.h"

namespace dualstream::command {
namespace {

Status refused(std::string_view what, const std::string& name, int error) {
  return Status::error(StatusCode::exhausted, concat({"cannot ", what, " ", name, ": ",
                                                      std::generic_category().message(error)}));
}

// The errno, or 0.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(fd, text.data(), text.size());
    if (size < 0 && errno != EINTR) return errno;
    if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
  }
  return ::fsync(fd) == 0 ? 0 : errno;
}

// As much of `text` as the file has. The errno, or 0.
int read_all(int fd, std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t size = ::read(fd, text.data() + done, text.size() - done);
    if (size < 0 && errno != EINTR) return errno;
    if (size == 0) break;
    if (size > 0) done += static_cast<std::size_t>(size);
  }
  text.resize(done);
  return 0;
}

std::string folder_of(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : name.substr(0, slash);
}

}  // namespace

Status StateFile::open(const std::string& name, std::unique_ptr<StateFile>& file) {
  const std::string lock_name = name + ".lock";
  const int folder = ::open(folder_of(name).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return refused("write to", name, errno);
  const int lock = ::open(lock_name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0) {
    const int error = errno;
    ::close(folder);
    return refused("write to", lock_name, error);
  }
  // tidy: allow(naked_new) the constructor is private
  std::unique_ptr<StateFile> opened{new StateFile{name, folder, lock}};
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return refused("lock", lock_name, errno);
    return Status::error(StatusCode::invalid_options,
                         name +
                             " is in use by another process; wait for its end, or give this "
                             "one a file of its own");
  }
  file = std::move(opened);
  return {};
}

StateFile::~StateFile() {
  ::close(folder_);
  ::close(lock_);
}

Status StateFile::read(std::optional<std::string>& text) const {
  text.reset();
  // Without O_NONBLOCK, opening a named pipe would wait for its writer.
  const int fd = ::open(name_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return errno == ENOENT ? Status{} : refused("read", name_, errno);
  struct stat about {};
  int error = ::fstat(fd, &about) == 0 ? 0 : errno;
  const bool regular = error == 0 && S_ISREG(about.st_mode);
  if (regular) {
    text.emplace(static_cast<std::size_t>(about.st_size), '\0');
    error = read_all(fd, *text);
  }
  ::close(fd);
  if (error != 0) return refused("read", name_, error);
  if (!regular) {
    return Status::error(StatusCode::invalid_options,
                         name_ + " is no regular file; name one, or one that is not there yet");
  }
  return {};
}

Status StateFile::write(std::string_view text) {
  const std::string next = name_ + ".tmp";
  const int fd = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return refused("write to", next, errno);
  const int error = write_all(fd, text);
  const int closed = ::close(fd) == 0 ? 0 : errno;
  if (error != 0 || closed != 0) return refused("write to", next, error != 0 ? error : closed);
  if (std::rename(next.c_str(), name_.c_str()) != 0) return refused("replace", name_, errno);
  // Some file systems have no folders to sync, and then need it not.
  if (::fsync(folder_) != 0 && errno != EINVAL && errno != EROFS) {
    return refused("sync the folder of", name_, errno);
  }
  return {};
}

}  // namespace dualstream::command
