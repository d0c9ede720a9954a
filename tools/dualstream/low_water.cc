#include "low_water.h"

namespace dualstream::command {

void LowWater::begin(std::uint64_t end, const Fingerprint& last) {
  lines_.push_back({.end = end, .last = last});
}

void LowWater::settle(std::uint64_t line) {
  lines_.at(static_cast<std::size_t>(line - mark_.next.line)).settled = true;
  while (!lines_.empty() && lines_.front().settled) {
    const Begun& done = lines_.front();
    mark_ = {.next = {.line = mark_.next.line + 1, .offset = done.end}, .before = done.last};
    lines_.pop_front();
  }
}

}  // namespace dualstream::command
