#include "fingerprint.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace dualstream::command {
namespace {

// Fewer than asked for only at the end of the file or at an error.
std::size_t read_at(int fd, std::uint64_t begin, char* into, std::size_t size, int& error) {
  std::size_t done = 0;
  error = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, into + done, size - done, static_cast<off_t>(begin + done));
    if (got == 0) break;
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      error = errno;
      break;
    }
  }
  return done;
}

}  // namespace

Fingerprint fingerprint_of_start(int fd, int& error) {
  std::array<char, kFingerprintBytesMax> bytes{};
  const std::size_t size = read_at(fd, 0, bytes.data(), bytes.size(), error);
  return {.begin = 0, .size = size, .hash = hash_of({bytes.data(), size})};
}

bool fits(const Fingerprint& fingerprint, int fd) {
  std::array<char, kFingerprintBytesMax> bytes{};
  if (fingerprint.size > bytes.size()) return false;
  int error = 0;
  const std::size_t size = read_at(fd, fingerprint.begin, bytes.data(),
                                   static_cast<std::size_t>(fingerprint.size), error);
  return size == fingerprint.size && hash_of({bytes.data(), size}) == fingerprint.hash;
}

}  // namespace dualstream::command
