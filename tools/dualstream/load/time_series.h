// TimeSeries keeps a cell for each interval of a run, in a fixed number of cells.
//
// When the run outlasts them, each two neighbours become one and the interval twice as long.
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

namespace dualstream::command {

// A Cell is default-constructible and has merge(const Cell&) and clear(). A value.
template <typename Cell>
class TimeSeries {
 public:
  using Duration = std::chrono::nanoseconds;

  static constexpr std::size_t kCells = 240;
  static constexpr Duration kShortestInterval = std::chrono::milliseconds{100};

  TimeSeries() : cells_(kCells) {}

  // The cell of a moment since the start of the run.
  [[nodiscard]] Cell& at(Duration since_start) {
    while (since_start >= interval_ * static_cast<Duration::rep>(kCells)) fold();
    const auto index = since_start < Duration{0} ? 0 : since_start / interval_;
    if (static_cast<std::size_t>(index) >= used_) used_ = static_cast<std::size_t>(index) + 1;
    return cells_[static_cast<std::size_t>(index)];
  }

  // Makes the interval at least so long, so that two series can be put side by side.
  void fold_to(Duration interval) {
    while (interval_ < interval) fold();
  }

  [[nodiscard]] Duration interval() const noexcept { return interval_; }
  // Up to the last one that was asked for.
  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  // Any of the kCells.
  [[nodiscard]] const Cell& operator[](std::size_t index) const { return cells_[index]; }

  // As if all that `other` holds had been put here.
  void merge(TimeSeries other) {
    fold_to(other.interval_);
    other.fold_to(interval_);
    for (std::size_t at = 0; at < other.used_; ++at) cells_[at].merge(other.cells_[at]);
    if (other.used_ > used_) used_ = other.used_;
  }

 private:
  void fold() {
    for (std::size_t at = 0; at < kCells / 2; ++at) {
      if (at > 0) std::swap(cells_[at], cells_[2 * at]);
      cells_[at].merge(cells_[2 * at + 1]);
      cells_[2 * at + 1].clear();
    }
    for (std::size_t at = kCells / 2; at < kCells; ++at) cells_[at].clear();
    interval_ *= 2;
    used_ = (used_ + 1) / 2;
  }

  std::vector<Cell> cells_;
  Duration interval_ = kShortestInterval;
  std::size_t used_ = 0;
};

}  // namespace dualstream::command
