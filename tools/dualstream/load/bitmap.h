// Bitmap is a set of small numbers, a bit each; it grows in pieces, without moving what it holds.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace dualstream::command {

class Bitmap {
 public:
  // Whether it is new.
  bool set(std::uint64_t number) {
    const auto piece = static_cast<std::size_t>(number / kPieceBits);
    while (pieces_.size() <= piece) pieces_.push_back(std::make_unique<Piece>());
    std::uint64_t& word = (*pieces_[piece])[number % kPieceBits / 64];
    const std::uint64_t bit = std::uint64_t{1} << (number % 64);
    const bool is_new = (word & bit) == 0;
    word |= bit;
    return is_new;
  }

  // How many of its numbers `other` does not have.
  [[nodiscard]] std::uint64_t count_without(const Bitmap& other) const {
    std::uint64_t count = 0;
    for (std::size_t piece = 0; piece < pieces_.size(); ++piece) {
      for (std::size_t word = 0; word < kPieceWords; ++word) {
        const std::uint64_t theirs =
            piece < other.pieces_.size() ? (*other.pieces_[piece])[word] : 0;
        count += static_cast<std::uint64_t>(std::popcount((*pieces_[piece])[word] & ~theirs));
      }
    }
    return count;
  }

 private:
  static constexpr std::size_t kPieceWords = 8'192;
  static constexpr std::uint64_t kPieceBits = kPieceWords * 64;
  using Piece = std::array<std::uint64_t, kPieceWords>;

  std::vector<std::unique_ptr<Piece>> pieces_;
};

}  // namespace dualstream::command
