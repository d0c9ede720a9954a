// SourceMix says which sources speak how often, and which thread speaks for each.
//
// The source of rank r has the weight 1/r^zipf. A source has one thread, so that its events keep
// their order; the threads' shares of the load are made as even as the heaviest sources allow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace dualstream::command {

struct SourceMixOptions {
  std::size_t sources = 1'000;
  double zipf = 1.0;  // 0: all alike.
  std::size_t threads = 1;
};

// What one thread speaks for.
struct SourceShare {
  std::vector<std::uint32_t> sources;
  std::vector<double> weights;
  double share = 0;  // Of the whole load, 0 to 1.
};

// One for each thread; none is empty, as long as there are as many sources as threads.
[[nodiscard]] std::vector<SourceShare> share_out(const SourceMixOptions& options);

// `total` split by the shares into whole numbers that add up to it.
[[nodiscard]] std::vector<std::uint64_t> split(std::uint64_t total,
                                               const std::vector<SourceShare>& shares);

// Draws sources by their weight, in constant time however many there are (Vose's alias method): a
// binary search in a million weights would cost more than the publish() that it is there for.
//
// Thread: one.
class SourcePicker {
 public:
  SourcePicker(const SourceShare& share, std::uint64_t seed);

  [[nodiscard]] std::uint32_t pick() noexcept;

 private:
  struct Column {
    double stays = 1;  // The chance that a draw of this column is its own source.
    std::uint32_t source = 0;
    std::uint32_t otherwise = 0;
  };

  std::mt19937_64 random_;
  std::vector<Column> columns_;
};

}  // namespace dualstream::command
