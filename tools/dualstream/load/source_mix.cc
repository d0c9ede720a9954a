#include "source_mix.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <utility>

namespace dualstream::command {
namespace {

constexpr double kDrawBits = 1.0 / static_cast<double>(std::uint64_t{1} << 53U);

}  // namespace

std::vector<SourceShare> share_out(const SourceMixOptions& options) {
  std::vector<SourceShare> shares(options.threads);
  // The lightest thread takes the next source, heaviest sources first.
  using Thread = std::pair<double, std::size_t>;
  std::priority_queue<Thread, std::vector<Thread>, std::greater<>> lightest;
  for (std::size_t thread = 0; thread < options.threads; ++thread) lightest.emplace(0.0, thread);
  double all = 0;
  for (std::size_t source = 0; source < options.sources; ++source) {
    const double weight = 1.0 / std::pow(static_cast<double>(source + 1), options.zipf);
    const auto [load, thread] = lightest.top();
    lightest.pop();
    shares[thread].sources.push_back(static_cast<std::uint32_t>(source));
    shares[thread].weights.push_back(weight);
    shares[thread].share += weight;
    lightest.emplace(load + weight, thread);
    all += weight;
  }
  for (SourceShare& share : shares) share.share /= all;
  return shares;
}

std::vector<std::uint64_t> split(std::uint64_t total, const std::vector<SourceShare>& shares) {
  std::vector<std::uint64_t> parts;
  double passed = 0;
  std::uint64_t given = 0;
  for (const SourceShare& share : shares) {
    passed += share.share;
    const auto until = std::min(
        total, static_cast<std::uint64_t>(std::llround(static_cast<double>(total) * passed)));
    parts.push_back(until - std::min(until, given));
    given = std::max(given, until);
  }
  if (!parts.empty()) parts.back() += total - given;
  return parts;
}

SourcePicker::SourcePicker(const SourceShare& share, std::uint64_t seed) : random_(seed) {
  const std::size_t count = share.sources.size();
  double all = 0;
  for (const double weight : share.weights) all += weight;
  columns_.resize(count);
  std::vector<std::size_t> small;
  std::vector<std::size_t> large;
  std::vector<double> scaled(count);
  for (std::size_t at = 0; at < count; ++at) {
    columns_[at] = {.stays = 1, .source = share.sources[at], .otherwise = share.sources[at]};
    scaled[at] = share.weights[at] * static_cast<double>(count) / all;
    (scaled[at] < 1 ? small : large).push_back(at);
  }
  while (!small.empty() && !large.empty()) {
    const std::size_t poor = small.back();
    const std::size_t rich = large.back();
    small.pop_back();
    columns_[poor].stays = scaled[poor];
    columns_[poor].otherwise = share.sources[rich];
    scaled[rich] -= 1 - scaled[poor];
    if (scaled[rich] < 1) {
      large.pop_back();
      small.push_back(rich);
    }
  }
}

std::uint32_t SourcePicker::pick() noexcept {
  const double place =
      static_cast<double>(random_() >> 11U) * kDrawBits * static_cast<double>(columns_.size());
  const auto column = std::min(static_cast<std::size_t>(place), columns_.size() - 1);
  const Column& drawn = columns_[column];
  // What is left of the draw behind the point is as good as a second one.
  return place - static_cast<double>(column) < drawn.stays ? drawn.source : drawn.otherwise;
}

}  // namespace dualstream::command
