// Blocks come round, the pool keeps no more than it may, and both ends can work at once.
#include "event/block_pool.h"

#include <cstdlib>
#include <cstring>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/concurrent_queue.h"

namespace dualstream::event {
namespace {

TEST(BlockPoolTest, RoundsUpToAClassAndNeverDown) {
  for (std::size_t bytes = 1; bytes < 6'000; ++bytes) {
    EXPECT_GE(BlockPool::rounded(bytes), bytes);
    EXPECT_LT(BlockPool::rounded(bytes), bytes + 256);
    EXPECT_EQ(BlockPool::rounded(BlockPool::rounded(bytes)), BlockPool::rounded(bytes));
  }
}

TEST(BlockPoolTest, GivesBlocksThatCanHoldWhatWasAskedForAndAreNobodyElses) {
  BlockPool pool{1 << 20};
  BlockPool::Taker taker{pool};
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random{seed};
  struct Block {
    void* at;
    std::size_t bytes;
    unsigned char filling;
  };
  std::vector<Block> taken;
  for (int step = 0; step < 100'000; ++step) {
    if (taken.size() < 500 && random() % 2 == 0) {
      const Block block{nullptr, 1 + random() % 5'000, static_cast<unsigned char>(random())};
      taken.push_back(block);
      taken.back().at = taker.take(block.bytes);
      ASSERT_NE(taken.back().at, nullptr);
      std::memset(taken.back().at, block.filling, block.bytes);
    } else if (!taken.empty()) {
      std::swap(taken[random() % taken.size()], taken.back());
      const Block block = taken.back();
      taken.pop_back();
      const auto* bytes = static_cast<const unsigned char*>(block.at);
      ASSERT_EQ(bytes[0], block.filling);
      ASSERT_EQ(bytes[block.bytes - 1], block.filling);
      pool.give(block.at, block.bytes);
    }
    ASSERT_LE(pool.kept_bytes(), std::size_t{1} << 20);
  }
  for (const Block& block : taken) pool.give(block.at, block.bytes);
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(BlockPoolTest, BringsTheSameBlocksRound) {
  BlockPool pool{1 << 20};
  BlockPool::Taker taker{pool};
  std::set<void*> given;
  for (int i = 0; i < 32; ++i) {
    void* block = std::malloc(BlockPool::rounded(300));
    given.insert(block);
    pool.give(block, 300);
  }
  EXPECT_EQ(pool.kept_bytes(), 32 * 320U);
  std::set<void*> taken;
  for (int i = 0; i < 32; ++i) taken.insert(taker.take(310));
  EXPECT_EQ(taken, given) << "300 and 310 bytes are of one class";
  for (void* block : taken) std::free(block);
}
#endif

TEST(BlockPoolTest, KeepsNothingWhenItMayNot) {
  BlockPool pool{0};
  BlockPool::Taker taker{pool};
  for (int i = 0; i < 100; ++i) pool.give(taker.take(300), 300);
  EXPECT_EQ(pool.kept_bytes(), 0U);
}

TEST(BlockPoolTest, WorksFromThreadToThread) {
  constexpr int kBlocks = 200'000;
  BlockPool pool{1 << 20};
  base::ConcurrentQueue<void*> queue;
  std::vector<std::thread> takers;
  for (int i = 0; i < 2; ++i) {
    takers.emplace_back([&pool, &queue] {
      BlockPool::Taker taker{pool};
      const base::ProducerToken token{queue};
      for (int n = 0; n < kBlocks; ++n) {
        void* block = taker.take(200);
        std::memset(block, n, 200);
        while (queue.size_approx() > 10'000) std::this_thread::yield();
        queue.enqueue(token, block);
      }
    });
  }
  for (int given = 0; given < 2 * kBlocks;) {
    void* block = nullptr;
    if (!queue.try_dequeue(block)) {
      std::this_thread::yield();
      continue;
    }
    pool.give(block, 200);
    given += 1;
  }
  for (std::thread& taker : takers) taker.join();
  EXPECT_LE(pool.kept_bytes(), std::size_t{1} << 20);
}

}  // namespace
}  // namespace dualstream::event
