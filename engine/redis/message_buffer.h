// MessageBuffer is where a message is written: room is made once for a whole item, and then its
// parts are copied without looking again.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace dualstream::redis {

// Thread: one at a time.
class MessageBuffer {
 public:
  [[nodiscard]] std::string_view text() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  void clear() noexcept { size_ = 0; }
  void release() noexcept { *this = MessageBuffer{}; }

  // After it `more` bytes can be put.
  void make_room(std::size_t more) {
    if (capacity_ - size_ < more) grow(more);
  }

  // There is room for it.
  void put(std::string_view text) noexcept {
    std::memcpy(bytes_.get() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void put(char c) noexcept { bytes_[size_++] = c; }
  void drop_last() noexcept { size_ -= 1; }

  // At the most kNumberBytesMax.
  void put_number(std::integral auto number) noexcept {
    char* to = bytes_.get() + size_;
    size_ += static_cast<std::size_t>(std::to_chars(to, to + kNumberBytesMax, number).ptr - to);
  }

  static constexpr std::size_t kNumberBytesMax = 20;

 private:
  static constexpr std::size_t kFirstCapacity = 4096;

  void grow(std::size_t more) {
    const std::size_t capacity = std::max({kFirstCapacity, 2 * capacity_, size_ + more});
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace dualstream::redis
