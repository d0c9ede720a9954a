// OffsetIntervals is a set of offsets as few stretches [from, to): what of a partition is settled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dualstream::subscriber {

inline constexpr std::int64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();

// Bounded: beyond kStretchesMax the lowest stretch but one is forgotten. A value.
class OffsetIntervals {
 public:
  static constexpr std::size_t kStretchesMax = 16;

  // Empty when to <= from. Stretches that touch become one.
  void add(std::int64_t from, std::int64_t to);

  [[nodiscard]] bool contains(std::int64_t offset) const noexcept;
  // The first offset from `offset` on that is not in the set.
  [[nodiscard]] std::int64_t next_hole(std::int64_t offset) const noexcept;
  // The first offset from `offset` on that is in the set; kOffsetMax if there is none.
  [[nodiscard]] std::int64_t next_member(std::int64_t offset) const noexcept;

 private:
  struct Stretch {
    std::int64_t from = 0;
    std::int64_t to = 0;
  };
  // The first that ends after `offset`.
  [[nodiscard]] std::vector<Stretch>::const_iterator after(std::int64_t offset) const noexcept;

  std::vector<Stretch> stretches_;  // In order, apart from each other.
};

}  // namespace dualstream::subscriber
