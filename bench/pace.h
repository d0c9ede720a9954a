// Pace says when the events of an open loop are due: whether or not the ones before them are done.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace dualstream::bench {

// Event i is due i / rate seconds after this object was made.
//
// Thread: any.
class Pace {
 public:
  explicit Pace(double rate) : rate_(rate) {}

  // How many events are due by now.
  [[nodiscard]] std::size_t due_events() const {
    return static_cast<std::size_t>(since_start() * rate_);
  }
  // How long ago event `index` was due.
  [[nodiscard]] double late_seconds(std::size_t index) const {
    return since_start() - static_cast<double>(index) / rate_;
  }

 private:
  [[nodiscard]] double since_start() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  const double rate_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The value that a share of all values do not exceed; `values` are reordered.
[[nodiscard]] inline double quantile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::ptrdiff_t>(static_cast<double>(values.size() - 1) * share);
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

}  // namespace dualstream::bench
