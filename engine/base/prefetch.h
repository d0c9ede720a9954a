// prefetch() asks the processor for a cache line that is needed soon.
#pragma once

namespace dualstream::base {

inline void prefetch(const void* address) noexcept { __builtin_prefetch(address); }

}  // namespace dualstream::base
