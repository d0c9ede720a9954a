// Histogram counts values with a bounded relative error, in bounded memory.
//
// Its layout is that of an HDR histogram. With b = precision_bits, a value below 2^b has a counter
// of its own; above, each power of two is cut into 2^(b-1) counters of equal width:
//
//   value     0 .. 2^b-1 | 2^b .. 2^(b+1)-1 | 2^(b+1) .. 2^(b+2)-1 | ...  2^42-1
//   width          1     |        2         |          4           | ...
//
// It is ours because no Debian package holds an HDR histogram for C or C++ (the one in C travels
// inside the sources of other projects), and because the counters need no more than this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dualstream::command {

// A value.
class Histogram {
 public:
  // Three significant digits: a value is known to within a thousandth of itself. 270 KB.
  static constexpr unsigned kThreeDigits = 11;
  // To within 3 %, for many small histograms side by side. 10 KB.
  static constexpr unsigned kCoarse = 6;

  // Larger values count as this one; of nanoseconds it is 73 minutes.
  static constexpr std::uint64_t kValueMax = (std::uint64_t{1} << 42U) - 1;

  struct Bucket {
    std::uint64_t lowest = 0;
    std::uint64_t highest = 0;
    std::uint64_t count = 0;
  };

  explicit Histogram(unsigned precision_bits = kThreeDigits);

  void record(std::uint64_t value) noexcept;

  // As if every value of `other`, of the same precision, had been recorded here. Percentiles of
  // several threads or intervals are those of the merged histogram; they are never averaged.
  void merge(const Histogram& other) noexcept;

  void clear() noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  // Exact. 0 without values.
  [[nodiscard]] std::uint64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  [[nodiscard]] double mean() const noexcept;
  // The standard deviation, to the precision of the counters.
  [[nodiscard]] double deviation() const noexcept;

  // The smallest value that at least this share, 0 to 1, of all values do not exceed: the highest
  // value that its counter stands for, and never more than max(). 0 without values.
  [[nodiscard]] std::uint64_t value_at(double share) const noexcept;

  // The counters that are not 0, by value.
  [[nodiscard]] std::vector<Bucket> buckets() const;

 private:
  [[nodiscard]] std::size_t index_of(std::uint64_t value) const noexcept;
  [[nodiscard]] Bucket bucket(std::size_t index) const noexcept;

  unsigned bits_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ = UINT64_MAX;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace dualstream::command
