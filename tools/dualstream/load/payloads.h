// Payloads are what the events of a run carry; each can be verified from its own bytes.
//
//   {"load":"rrrrrrrrssssssssiiiiiiiihhhhhhhhhhhhhhhh","pad":"kJ2...x"}
//            run     source  index   hash
//
// All four are hex digits. The hash is of the other three and of every byte behind them. With lines
// of a file, the member stands before those that the line has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dualstream/status.h"

namespace dualstream::command {

// The smallest --size.
inline constexpr std::size_t kPayloadBytesMin = 64;

// So many bytes of lines are held.
inline constexpr std::size_t kPayloadFileBytesMax = 256 * 1024 * 1024;

// Who and which an event is, as its payload has it.
struct PayloadMark {
  std::uint32_t run = 0;
  std::uint32_t source = 0;
  std::uint32_t index = 0;
};

// "source-17": the key, and in the channel.
inline constexpr std::string_view kSourcePrefix = "source-";
inline constexpr std::string_view kLoadSourceType = "load";
inline constexpr std::string_view kLoadEventType = "LoadEvent";

// Thread: any; the payloads do not change.
class Payloads {
 public:
  // Random letters and digits, `bytes` in all, which compress to three quarters.
  [[nodiscard]] static Payloads of_size(std::size_t bytes, std::uint64_t seed);

  // A payload for each line of the file, which has to be a JSON object. Blank lines are skipped.
  // An error names FILE:LINE and the reason.
  [[nodiscard]] static Status of_file(const std::string& name, Payloads& payloads);

  [[nodiscard]] std::size_t size() const noexcept { return texts_.size(); }
  [[nodiscard]] std::size_t bytes_max() const noexcept { return bytes_max_; }

  // Writes payload number `which`, below size(), into `out`, which has bytes_max() of room; returns
  // its size.
  [[nodiscard]] std::size_t write(std::size_t which, const PayloadMark& mark, char* out) const;

  // The mark of a payload whose bytes are as they were written; nothing for any other.
  [[nodiscard]] static std::optional<PayloadMark> recognise(std::string_view payload) noexcept;

  // Whether the payload begins as one of this run does, and so should be one.
  [[nodiscard]] static bool claims(std::string_view payload, std::uint32_t run) noexcept;

 private:
  struct Text {
    std::string text;  // The marks are to be filled in.
    std::uint64_t tail_hash = 0;
  };

  void add(std::string text);

  std::vector<Text> texts_;
  std::size_t bytes_max_ = 0;
};

}  // namespace dualstream::command
