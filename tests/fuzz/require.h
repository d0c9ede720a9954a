// require() ends a fuzz target, and so the run, where something does not hold.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace dualstream::fuzz {

inline void require(bool holds, const char* sentence) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: it does not hold that %s\n", sentence);
  std::abort();
}

}  // namespace dualstream::fuzz
