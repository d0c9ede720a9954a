// The one place that names moodycamel's queue, with the block size that was measured to suit a
// worker that takes hundreds at a time.
//
// Order: first in, first out per producer token; none between producers. The size is approximate
// while others push.
#pragma once

#include <cstddef>

// ThreadSanitizer does not see fences, and the queue orders the second use of a block by a relaxed
// load and a fence: as it reads, each such use is a race. Under it alone the queue's atomics order
// by themselves, so that what is reported is ours. Its headers come first: they mean what they say.
#if defined(__SANITIZE_THREAD__)
#define DUALSTREAM_UNDER_THREAD_SANITIZER
#elif defined(__has_feature)  // clang's way to say it.
#if __has_feature(thread_sanitizer)
#define DUALSTREAM_UNDER_THREAD_SANITIZER
#endif
#endif
#ifdef DUALSTREAM_UNDER_THREAD_SANITIZER
#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <thread>
#include <type_traits>
#include <utility>

#include <climits>

#define memory_order_relaxed memory_order_seq_cst
#define memory_order_acquire memory_order_seq_cst
#define memory_order_release memory_order_seq_cst
#define memory_order_acq_rel memory_order_seq_cst
#endif

// g++ 12 sees an overflow in enqueue_bulk() that is not there; clang does not know the warning.
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif
#include <concurrentqueue.h>
#pragma GCC diagnostic pop
#ifdef DUALSTREAM_UNDER_THREAD_SANITIZER
#undef memory_order_relaxed
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef DUALSTREAM_UNDER_THREAD_SANITIZER
#endif

namespace dualstream::base {

struct QueueTraits : moodycamel::ConcurrentQueueDefaultTraits {
  static const std::size_t BLOCK_SIZE = 256;  // NOLINT(readability-identifier-naming): its name.
};

template <typename T>
using ConcurrentQueue = moodycamel::ConcurrentQueue<T, QueueTraits>;

// Tokens are used always: an implicit producer stays in the queue for each thread that ever pushed.
using ProducerToken = moodycamel::ProducerToken;
using ConsumerToken = moodycamel::ConsumerToken;

}  // namespace dualstream::base
