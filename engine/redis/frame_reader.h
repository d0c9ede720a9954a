// FrameReader takes a frame apart again: notification format version 1, as redis/frame.h draws it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dualstream::redis {

// One notification of a frame.
struct Told {
  std::string id;
  std::string type;
  std::string source_id;
  std::int32_t partition = -1;  // -1 with notify = accepted, as `offset`.
  std::int64_t offset = -1;
  // The offset of the source's event before it; -1 when unknown.
  std::int64_t previous = -1;
};

// Thread: one at a time.
class FrameReader {
 public:
  // No frame is longer: 16 times what Redis takes by default (proto-max-bulk-len is larger, but no
  // frame is).
  static constexpr std::size_t kMessageBytesMax = 64 * 1024 * 1024;

  FrameReader();
  ~FrameReader();
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  // Puts the frame's notifications into `told`, oldest first, and its `missed` into `missed`. False
  // when the message is no notification; then `reason` says why.
  [[nodiscard]] bool read(std::string_view message, std::vector<Told>& told, std::uint64_t& missed,
                          std::string& reason);

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace dualstream::redis
