#include "histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace dualstream::command {

Histogram::Histogram(unsigned precision_bits) : bits_(precision_bits) {
  counts_.resize(index_of(kValueMax) + 1);
}

std::size_t Histogram::index_of(std::uint64_t value) const noexcept {
  if (value >> bits_ == 0) return static_cast<std::size_t>(value);
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - bits_;
  return (std::size_t{shift} << (bits_ - 1)) + static_cast<std::size_t>(value >> shift);
}

Histogram::Bucket Histogram::bucket(std::size_t index) const noexcept {
  if (index >> bits_ == 0) return {.lowest = index, .highest = index, .count = counts_[index]};
  const auto shift = static_cast<unsigned>(index >> (bits_ - 1)) - 1;
  const std::uint64_t lowest = (index - (std::size_t{shift} << (bits_ - 1))) << shift;
  return {.lowest = lowest,
          .highest = lowest + (std::uint64_t{1} << shift) - 1,
          .count = counts_[index]};
}

void Histogram::record(std::uint64_t value) noexcept {
  value = std::min(value, kValueMax);
  ++counts_[index_of(value)];
  ++count_;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t at = 0; at < std::min(counts_.size(), other.counts_.size()); ++at) {
    counts_[at] += other.counts_[at];
  }
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

void Histogram::clear() noexcept {
  std::fill(counts_.begin(), counts_.end(), 0);
  count_ = 0;
  min_ = UINT64_MAX;
  max_ = 0;
  sum_ = 0;
}

double Histogram::mean() const noexcept {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

double Histogram::deviation() const noexcept {
  if (count_ == 0) return 0;
  const double middle = mean();
  double squares = 0;
  for (std::size_t at = 0; at < counts_.size(); ++at) {
    if (counts_[at] == 0) continue;
    const Bucket one = bucket(at);
    const double off =
        (static_cast<double>(one.lowest) + static_cast<double>(one.highest)) / 2 - middle;
    squares += off * off * static_cast<double>(one.count);
  }
  return std::sqrt(squares / static_cast<double>(count_));
}

std::uint64_t Histogram::value_at(double share) const noexcept {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  // The share of a count is rarely a whole number to a double: 0.9 of 10 is 9, not the next one.
  const double nearest = std::round(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const bool whole =
      std::abs(nearest - share * static_cast<double>(count_)) < 1e-9 * static_cast<double>(count_);
  const auto rank =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(whole ? nearest : wanted));
  std::uint64_t passed = 0;
  for (std::size_t at = 0; at < counts_.size(); ++at) {
    passed += counts_[at];
    if (passed >= rank) return std::min(bucket(at).highest, max_);
  }
  return max_;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> found;
  for (std::size_t at = 0; at < counts_.size(); ++at) {
    if (counts_[at] != 0) found.push_back(bucket(at));
  }
  return found;
}

}  // namespace dualstream::command
