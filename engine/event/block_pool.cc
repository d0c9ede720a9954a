#include "event/block_pool.h"

#include <cstdlib>
#include <new>
#include <utility>

namespace dualstream::event {
namespace {

// A block that is used again is one whose misuse a sanitizer cannot see.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPools = false;
#else
constexpr bool kPools = true;
#endif

// The block after next is written soon, and is in the other processor's cache.
void prefetch_to_write(void* block) noexcept {
  __builtin_prefetch(block, 1);
  __builtin_prefetch(static_cast<char*>(block) + 64, 1);
}

}  // namespace

BlockPool::BlockPool(std::size_t bytes_max) : bytes_max_(kPools ? bytes_max : 0) {}

BlockPool::~BlockPool() {
  for (std::size_t i = 0; i < kClasses; ++i) {
    discard(std::move(filling_[i]), i);
    for (MagazinePtr& magazine : depots_[i].full) discard(std::move(magazine), i);
  }
}

BlockPool::Taker::~Taker() {
  for (std::size_t i = 0; i < kClasses; ++i) pool_.discard(std::move(magazines_[i]), i);
}

void* BlockPool::Taker::take(std::size_t bytes) noexcept {
  const std::size_t size = rounded(bytes);
  if (size > kPooledMax) return std::malloc(size);
  const std::size_t size_class = class_of(size);
  MagazinePtr& magazine = magazines_[size_class];
  if (magazine == nullptr || magazine->count == 0) {
    pool_.discard(std::move(magazine), size_class);
    magazine = pool_.take_full(size_class);
    if (magazine == nullptr) return std::malloc(size);
  }
  void* block = magazine->blocks[--magazine->count];
  if (magazine->count >= 2) prefetch_to_write(magazine->blocks[magazine->count - 2]);
  return block;
}

BlockPool::MagazinePtr BlockPool::take_full(std::size_t size_class) noexcept {
  Depot& depot = depots_[size_class];
  const std::unique_lock lock{depot.mutex, std::try_to_lock};
  if (!lock.owns_lock() || depot.full.empty()) return nullptr;
  MagazinePtr magazine = std::move(depot.full.back());
  depot.full.pop_back();
  return magazine;
}

void BlockPool::give(void* block, std::size_t bytes) noexcept {
  const std::size_t size = rounded(bytes);
  if (size > kPooledMax || bytes_max_ == 0) return std::free(block);
  const std::size_t size_class = class_of(size);
  MagazinePtr& magazine = filling_[size_class];
  if (magazine == nullptr) {
    const std::size_t magazine_bytes = kMagazineBlocks * size;
    if (kept_bytes() + magazine_bytes > bytes_max_) return std::free(block);
    // tidy: allow(naked_new) make_unique() would throw
    magazine.reset(new (std::nothrow) Magazine);
    if (magazine == nullptr) return std::free(block);
    kept_bytes_.fetch_add(magazine_bytes, std::memory_order_relaxed);
  }
  magazine->blocks[magazine->count++] = block;
  if (magazine->count < kMagazineBlocks) return;
  Depot& depot = depots_[size_class];
  {
    const std::unique_lock lock{depot.mutex, std::try_to_lock};
    if (lock.owns_lock()) {
      try {
        depot.full.push_back(std::move(magazine));
        return;
      } catch (const std::bad_alloc&) {  // It stays ours.
      }
    }
  }
  // A taker is there this very moment, or there is no memory: these go the usual way.
  discard(std::move(magazine), size_class);
}

void BlockPool::discard(MagazinePtr magazine, std::size_t size_class) noexcept {
  if (magazine == nullptr) return;
  while (magazine->count > 0) std::free(magazine->blocks[--magazine->count]);
  kept_bytes_.fetch_sub(kMagazineBlocks * bytes_of(size_class), std::memory_order_relaxed);
}

}  // namespace dualstream::event
