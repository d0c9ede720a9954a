#include "result_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "text.h"

namespace dualstream::command {
namespace {

Status unwritable(const std::string& name, int error) {
  return Status::error(
      StatusCode::invalid_options,
      concat({"cannot write ", printable(name), ": ", std::generic_category().message(error)}));
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept {
    // What it could not write, fflush() has said.
    (void)std::fclose(file);
  }
};

}  // namespace

Status check_result_file(const std::string& name) {
  const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return unwritable(name, errno);
  ::close(fd);
  return {};
}

Status write_result_file(const std::string& name, std::string_view text) {
  const std::unique_ptr<std::FILE, CloseFile> file{std::fopen(name.c_str(), "we")};
  if (!file) return unwritable(name, errno);
  if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
      std::fflush(file.get()) != 0) {
    return unwritable(name, errno);
  }
  return {};
}

}  // namespace dualstream::command
