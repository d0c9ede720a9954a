// The one place that names moodycamel's queue, with the block size that was measured to suit a
// worker that takes hundreds at a time.
//
// Order: first in, first out per producer token; none between producers. The size is approximate
// while others push.
#pragma once

#include <cstddef>

// g++ 12 sees an overflow in enqueue_bulk() that is not there; clang does not know the warning.
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif
#include <concurrentqueue.h>
#pragma GCC diagnostic pop

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
