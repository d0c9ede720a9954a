// CHECK stops the program at a bug of ours, in release builds too: going on could lose or forge an
// event.
#pragma once

namespace dualstream::base {

[[noreturn]] void check_failed(const char* condition, const char* sentence, const char* file,
                               int line) noexcept;

}  // namespace dualstream::base

// `sentence` says what must hold. Never for bad input, bad weather or a misuse by the host program.
#define CHECK(condition, sentence)                                                  \
  do {                                                                              \
    if (!(condition)) [[unlikely]] {                                                \
      ::dualstream::base::check_failed(#condition, (sentence), __FILE__, __LINE__); \
    }                                                                               \
  } while (false)
