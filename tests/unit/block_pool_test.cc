// Blocks that belong together stand together, chunks come round, there are no more of them than
// there may be, and all ends can work at once.
#include "event/block_pool.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/concurrent_queue.h"

namespace dualstream::event {
namespace {

constexpr std::size_t kChunk = BlockPool::kChunkBytes;

TEST(BlockPoolTest, RoundsUpToWholeLines) {
  for (std::size_t bytes = 1; bytes < 6'000; ++bytes) {
    EXPECT_GE(BlockPool::rounded(bytes), bytes);
    EXPECT_LT(BlockPool::rounded(bytes), bytes + 64);
    EXPECT_EQ(BlockPool::rounded(bytes) % 64, 0U);
  }
}

TEST(BlockPoolTest, GivesBlocksThatCanHoldWhatWasAskedForAndAreNobodyElses) {
  constexpr BlockPool::Limits kLimits{.chunks_max = 20 * kChunk, .kept_max = 3 * kChunk};
  BlockPool pool{kLimits};
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random{seed};
  struct Block {
    BlockPool::Block block;
    std::size_t bytes;
    unsigned char filling;
  };
  std::vector<Block> taken;
  {
    BlockPool::Taker taker{pool};
    BlockPool::Giver giver;
    for (int step = 0; step < 100'000; ++step) {
      if (taken.size() < 500 && random() % 2 == 0) {
        const Block block{{}, 1 + random() % 5'000, static_cast<unsigned char>(random())};
        taken.push_back(block);
        taken.back().block = taker.take(block.bytes, random());
        ASSERT_NE(taken.back().block.at, nullptr);
        std::memset(taken.back().block.at, block.filling, block.bytes);
      } else if (!taken.empty()) {
        std::swap(taken[random() % taken.size()], taken.back());
        const Block last = taken.back();
        taken.pop_back();
        const auto* bytes = static_cast<const unsigned char*>(last.block.at);
        ASSERT_EQ(bytes[0], last.filling);
        ASSERT_EQ(bytes[last.bytes - 1], last.filling);
        if (random() % 2 == 0) {
          giver.give(last.block.at, last.block.place);
        } else {
          BlockPool::give(last.block.at, last.block.place);
        }
      }
      ASSERT_LE(pool.chunk_bytes(), kLimits.chunks_max);
      ASSERT_LE(pool.kept_bytes(), kLimits.kept_max);
    }
  }
  for (const Block& last : taken) BlockPool::give(last.block.at, last.block.place);
  EXPECT_EQ(pool.chunk_bytes(), pool.kept_bytes()) << "every chunk is free again";
}

TEST(BlockPoolTest, NeverCutsALargeBlock) {
  BlockPool pool{{.chunks_max = 20 * kChunk, .kept_max = kChunk}};
  BlockPool::Taker taker{pool};
  const BlockPool::Block block = taker.take(BlockPool::kCutMax + 1, 0);
  EXPECT_EQ(block.place, 0);
  EXPECT_EQ(pool.chunk_bytes(), 0U);
  BlockPool::give(block.at, block.place);
}

TEST(BlockPoolTest, CutsNothingWhenItMayNot) {
  BlockPool pool{{}};
  BlockPool::Taker taker{pool};
  for (int i = 0; i < 100; ++i) {
    const BlockPool::Block block = taker.take(300, 0);
    EXPECT_EQ(block.place, 0);
    BlockPool::give(block.at, block.place);
  }
  EXPECT_EQ(pool.chunk_bytes(), 0U);
}

// With AddressSanitizer every block is malloc()'s, so that it sees the misuse of one.
#if !defined(__SANITIZE_ADDRESS__)
std::ptrdiff_t distance(const BlockPool::Block& from, const BlockPool::Block& to) {
  return static_cast<char*>(to.at) - static_cast<char*>(from.at);
}

TEST(BlockPoolTest, PutsTheBlocksOfAStreamBehindEachOther) {
  BlockPool pool{{.chunks_max = 20 * kChunk, .kept_max = kChunk}};
  BlockPool::Taker taker{pool};
  std::array<BlockPool::Block, 3> one;
  std::array<BlockPool::Block, 3> other;
  for (std::size_t i = 0; i < one.size(); ++i) {
    one[i] = taker.take(300, 5);
    other[i] = taker.take(100, 6);
  }
  EXPECT_EQ(distance(one[0], one[1]), 320);
  EXPECT_EQ(distance(one[1], one[2]), 320);
  EXPECT_EQ(distance(other[0], other[1]), 128);
  EXPECT_EQ(distance(other[1], other[2]), 128);
  EXPECT_EQ(pool.chunk_bytes(), 2 * kChunk);
  for (std::size_t i = 0; i < one.size(); ++i) {
    BlockPool::give(one[i].at, one[i].place);
    BlockPool::give(other[i].at, other[i].place);
  }
}

TEST(BlockPoolTest, CutsAChunkAgainOnceAllItsBlocksAreBack) {
  BlockPool pool{{.chunks_max = 20 * kChunk, .kept_max = kChunk}};
  BlockPool::Taker taker{pool};
  // One at a time, as an engine with little to do: one chunk is enough for ever.
  for (int i = 0; i < 1'000; ++i) {
    const BlockPool::Block block = taker.take(1'000, 0);
    ASSERT_NE(block.place, 0);
    BlockPool::give(block.at, block.place);
  }
  EXPECT_EQ(pool.chunk_bytes(), kChunk);
  EXPECT_EQ(pool.kept_bytes(), 0U);
}

TEST(BlockPoolTest, KeepsAChunkForTheNextTakerAndNoMoreThanItMay) {
  BlockPool pool{{.chunks_max = 20 * kChunk, .kept_max = 2 * kChunk}};
  const auto fill = [&pool](std::size_t chunks) {
    std::vector<BlockPool::Block> blocks;
    BlockPool::Taker taker{pool};
    while (pool.chunk_bytes() < chunks * kChunk) blocks.push_back(taker.take(4'000, 0));
    return blocks;
  };
  std::vector<BlockPool::Block> blocks = fill(5);
  EXPECT_EQ(pool.kept_bytes(), 0U);
  for (const BlockPool::Block& block : blocks) BlockPool::give(block.at, block.place);
  EXPECT_EQ(pool.kept_bytes(), 2 * kChunk);
  EXPECT_EQ(pool.chunk_bytes(), 2 * kChunk);
  BlockPool::Taker taker{pool};
  const BlockPool::Block again = taker.take(100, 0);
  EXPECT_EQ(pool.kept_bytes(), kChunk);
  EXPECT_EQ(pool.chunk_bytes(), 2 * kChunk);
  BlockPool::give(again.at, again.place);
}

TEST(BlockPoolTest, OneBlockThatWaitsKeepsItsChunkAndTheRestComesFromMalloc) {
  BlockPool pool{{.chunks_max = 3 * kChunk, .kept_max = 3 * kChunk}};
  std::vector<BlockPool::Block> waiting;
  BlockPool::Taker taker{pool};
  int from_malloc = 0;
  for (int i = 0; i < 100; ++i) {  // One of each four stays.
    const BlockPool::Block block = taker.take(4'000, 0);
    ASSERT_NE(block.at, nullptr);
    ASSERT_LE(pool.chunk_bytes(), 3 * kChunk);
    if (block.place == 0) from_malloc += 1;
    if (i % 4 == 0) {
      waiting.push_back(block);
    } else {
      BlockPool::give(block.at, block.place);
    }
  }
  EXPECT_GT(from_malloc, 80);
  for (const BlockPool::Block& block : waiting) BlockPool::give(block.at, block.place);
  const BlockPool::Block block = taker.take(4'000, 0);
  EXPECT_NE(block.place, 0) << "there is room again";
  BlockPool::give(block.at, block.place);
}

TEST(BlockPoolTest, AGiverGivesNeighboursTogetherAtTheLatestAtItsEnd) {
  BlockPool pool{{.chunks_max = 20 * kChunk, .kept_max = 20 * kChunk}};
  std::vector<BlockPool::Block> blocks;
  {
    BlockPool::Taker taker{pool};
    for (const std::size_t stream : {0U, 0U, 1U, 1U}) blocks.push_back(taker.take(100, stream));
  }
  {
    BlockPool::Giver giver;
    giver.give(blocks[0].at, blocks[0].place);
    giver.give(blocks[1].at, blocks[1].place);
    EXPECT_EQ(pool.kept_bytes(), 0U);
    giver.give(blocks[2].at, blocks[2].place);
    EXPECT_EQ(pool.kept_bytes(), kChunk) << "the first chunk is complete when another begins";
    giver.give(blocks[3].at, blocks[3].place);
    EXPECT_EQ(pool.kept_bytes(), kChunk);
  }
  EXPECT_EQ(pool.kept_bytes(), 2 * kChunk);
}
#endif

TEST(BlockPoolTest, WorksFromThreadToThread) {
  constexpr int kBlocks = 200'000;
  constexpr BlockPool::Limits kLimits{.chunks_max = 40 * kChunk, .kept_max = 10 * kChunk};
  BlockPool pool{kLimits};
  base::ConcurrentQueue<BlockPool::Block> queue;
  std::vector<std::thread> takers;
  for (int i = 0; i < 2; ++i) {
    takers.emplace_back([&pool, &queue] {
      BlockPool::Taker taker{pool};
      const base::ProducerToken token{queue};
      for (int n = 0; n < kBlocks; ++n) {
        const BlockPool::Block block = taker.take(200, static_cast<std::size_t>(n));
        std::memset(block.at, n, 200);
        while (queue.size_approx() > 10'000) std::this_thread::yield();
        queue.enqueue(token, block);
      }
    });
  }
  {
    BlockPool::Giver giver;
    for (int given = 0; given < 2 * kBlocks;) {
      BlockPool::Block block;
      if (!queue.try_dequeue(block)) {
        std::this_thread::yield();
        continue;
      }
      giver.give(block.at, block.place);
      given += 1;
    }
  }
  for (std::thread& taker : takers) taker.join();
  EXPECT_LE(pool.kept_bytes(), kLimits.kept_max);
  EXPECT_EQ(pool.chunk_bytes(), pool.kept_bytes());
}

}  // namespace
}  // namespace dualstream::event
