#include "event/block_pool.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace dualstream::event {
namespace {

// A block that is used again is one whose misuse a sanitizer cannot see.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kChunks = false;
#else
constexpr bool kChunks = true;
#endif

// While a chunk is being cut nobody knows how many blocks it will have: its taker holds this many
// uses of it.
constexpr std::uint32_t kTakersUses = 1U << 31;

// What is written soon, and is in another processor's cache.
void prefetch_to_write(char* from, const char* end) noexcept {
  constexpr std::ptrdiff_t kMost = 512;
  end = from + std::min(kMost, end - from);
  for (; from < end; from += 64) __builtin_prefetch(from, 1);
}

}  // namespace

struct alignas(64) BlockPool::Chunk {
  BlockPool* pool;
  Chunk* next = nullptr;               // Of those that are free.
  std::atomic<std::uint32_t> uses{0};  // Its taker sets them.

  [[nodiscard]] char* at(std::size_t byte) noexcept { return reinterpret_cast<char*>(this) + byte; }
  // True when that was the last of them.
  [[nodiscard]] bool drop(std::uint32_t count) noexcept {
    return uses.fetch_sub(count, std::memory_order_acq_rel) == count;
  }
};

BlockPool::~BlockPool() {
  while (free_ != nullptr) {
    Chunk* chunk = free_;
    free_ = chunk->next;
    release(chunk);
  }
}

BlockPool::Taker::~Taker() {
  for (const Cut& cut : cuts_) {
    if (cut.chunk != nullptr) give_back(cut.chunk, kTakersUses - cut.blocks);
  }
}

BlockPool::Block BlockPool::Taker::take(std::size_t bytes, std::size_t stream) noexcept {
  const std::size_t size = rounded(bytes);
  if (size > kCutMax) return {std::malloc(size), 0};
  Cut& cut = cuts_[stream % kStreams];
  if (cut.chunk == nullptr || cut.bytes + size > kChunkBytes) [[unlikely]] {
    if (!open_chunk(cut)) return {std::malloc(size), 0};
  }
  char* const block = cut.chunk->at(cut.bytes);
  const auto place = static_cast<Place>(cut.bytes / kLine);
  cut.bytes += size;
  cut.blocks += 1;
  prefetch_to_write(block + size, cut.chunk->at(kChunkBytes));
  return {block, place};
}

bool BlockPool::Taker::open_chunk(Cut& cut) noexcept {
  Chunk* const before = cut.chunk;
  // When all of its blocks are back already it can be cut again at once.
  const bool again = before != nullptr && before->drop(kTakersUses - cut.blocks);
  cut = {.chunk = again ? before : pool_.free_or_new_chunk(), .bytes = sizeof(Chunk), .blocks = 0};
  if (cut.chunk == nullptr) return false;
  cut.chunk->uses.store(kTakersUses, std::memory_order_relaxed);
  return true;
}

BlockPool::Chunk* BlockPool::free_or_new_chunk() noexcept {
  if (!kChunks) return nullptr;
  {
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (lock.owns_lock() && free_ != nullptr) {
      Chunk* chunk = free_;
      free_ = chunk->next;
      kept_bytes_.fetch_sub(kChunkBytes, std::memory_order_relaxed);
      return chunk;
    }
  }
  const std::size_t before = chunk_bytes_.fetch_add(kChunkBytes, std::memory_order_relaxed);
  if (before + kChunkBytes <= limits_.chunks_max) {
    if (void* memory = std::aligned_alloc(alignof(Chunk), kChunkBytes)) {
      return new (memory) Chunk{.pool = this};
    }
  }
  chunk_bytes_.fetch_sub(kChunkBytes, std::memory_order_relaxed);
  return nullptr;
}

BlockPool::Chunk* BlockPool::chunk_of(void* block, Place place) noexcept {
  return reinterpret_cast<Chunk*>(static_cast<char*>(block) - place * kLine);
}

void BlockPool::give_back(Chunk* chunk, std::uint32_t count) noexcept {
  if (chunk->drop(count)) chunk->pool->keep(chunk);
}

void BlockPool::give(void* block, Place place) noexcept {
  if (place == 0) return std::free(block);
  give_back(chunk_of(block, place), 1);
}

BlockPool::Giver::~Giver() {
  if (count_ > 0) give_back(chunk_, count_);
}

void BlockPool::Giver::give(void* block, Place place) noexcept {
  if (place == 0) return std::free(block);
  Chunk* const chunk = chunk_of(block, place);
  if (chunk != chunk_ && count_ > 0) give_back(chunk_, std::exchange(count_, 0));
  chunk_ = chunk;
  count_ += 1;
}

void BlockPool::keep(Chunk* chunk) noexcept {
  {
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (lock.owns_lock() &&
        kept_bytes_.load(std::memory_order_relaxed) + kChunkBytes <= limits_.kept_max) {
      kept_bytes_.fetch_add(kChunkBytes, std::memory_order_relaxed);
      chunk->next = free_;
      free_ = chunk;
      return;
    }
  }
  // There are enough of them, or somebody is there this very moment.
  release(chunk);
}

void BlockPool::release(Chunk* chunk) noexcept {
  chunk->~Chunk();
  std::free(chunk);
  chunk_bytes_.fetch_sub(kChunkBytes, std::memory_order_relaxed);
}

}  // namespace dualstream::event
