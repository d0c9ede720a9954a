#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace dualstream::base {

void check_failed(const char* condition, const char* sentence, const char* file,
                  int line) noexcept {
  std::fprintf(stderr, "dualstream: a bug: %s (%s does not hold at %s:%d)\n", sentence, condition,
               file, line);
  std::abort();
}

}  // namespace dualstream::base
