// Fingerprint is a hash of a few bytes of a file, by which it is known again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dualstream::command {

// FNV-1a, 64 bits. Against mistakes and damage, not against forgery.
[[nodiscard]] constexpr std::uint64_t hash_of(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

// A value. Of no bytes it fits every file.
struct Fingerprint {
  std::uint64_t begin = 0;  // Where in the file the bytes begin.
  std::uint64_t size = 0;   // At most kFingerprintBytesMax.
  std::uint64_t hash = hash_of({});

  bool operator==(const Fingerprint&) const = default;
};

inline constexpr std::size_t kFingerprintBytesMax = 4096;

// Of the first bytes of an open file; `error` is the errno, 0 if there is none.
[[nodiscard]] Fingerprint fingerprint_of_start(int fd, int& error);

// Whether the file has these bytes at that place. False also if it cannot be read.
[[nodiscard]] bool fits(const Fingerprint& fingerprint, int fd);

}  // namespace dualstream::command
