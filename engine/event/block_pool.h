// BlockPool brings the memory of events that are done back to the threads that make new ones.
//
//   ingest thread: Taker::take() <--- full magazines <--- give() : Kafka worker
//
// An event is made on one thread and ends on another. malloc() and free() then hand its bookkeeping
// from processor to processor, twice for each event (measured: a seventh of the whole path); here
// it crosses with 31 others in one magazine.
//
// Every block comes from malloc() and may go to free() instead: the pool is a cache, never an owner
// that has to be asked.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace dualstream::event {

// Thread: give() on one at a time, each Taker on one at a time. Neither ever waits for the other.
class BlockPool {
 private:
  static constexpr std::size_t kMagazineBlocks = 32;
  // Sizes in steps of 64 bytes up to 1 KiB, then of 256 up to 4 KiB; a larger block is not kept:
  // its copy costs more than its memory.
  static constexpr std::size_t kSmallStep = 64;
  static constexpr std::size_t kSmallMax = 1024;
  static constexpr std::size_t kLargeStep = 256;
  static constexpr std::size_t kPooledMax = 4096;
  static constexpr std::size_t kClasses =
      kSmallMax / kSmallStep + (kPooledMax - kSmallMax) / kLargeStep;

  struct Magazine {
    std::size_t count = 0;
    std::array<void*, kMagazineBlocks> blocks;
  };
  using MagazinePtr = std::unique_ptr<Magazine>;

 public:
  // Keeps at most so many bytes of blocks.
  explicit BlockPool(std::size_t bytes_max);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // What a block for `bytes` takes.
  [[nodiscard]] static constexpr std::size_t rounded(std::size_t bytes) noexcept {
    if (bytes > kPooledMax) return bytes;
    const std::size_t step = bytes <= kSmallMax ? kSmallStep : kLargeStep;
    return (bytes + step - 1) / step * step;
  }

  // An ingest thread's end.
  //
  // Lifetime: not longer than its pool.
  class Taker {
   public:
    explicit Taker(BlockPool& pool) noexcept : pool_(pool) {}
    ~Taker();
    Taker(const Taker&) = delete;
    Taker& operator=(const Taker&) = delete;

    // rounded(bytes) of memory, as malloc() gives it. nullptr when there is none.
    [[nodiscard]] void* take(std::size_t bytes) noexcept;

   private:
    BlockPool& pool_;
    std::array<MagazinePtr, kClasses> magazines_;
  };

  // Takes back a block that was made for `bytes`, or frees it.
  void give(void* block, std::size_t bytes) noexcept;

  [[nodiscard]] std::size_t kept_bytes() const noexcept {
    return kept_bytes_.load(std::memory_order_relaxed);
  }

 private:
  struct Depot {
    std::mutex mutex;
    std::vector<MagazinePtr> full;  // Guarded by mutex.
  };

  [[nodiscard]] static constexpr std::size_t class_of(std::size_t rounded_bytes) noexcept {
    return rounded_bytes <= kSmallMax
               ? rounded_bytes / kSmallStep - 1
               : kSmallMax / kSmallStep + (rounded_bytes - kSmallMax) / kLargeStep - 1;
  }
  [[nodiscard]] static constexpr std::size_t bytes_of(std::size_t size_class) noexcept {
    return size_class < kSmallMax / kSmallStep
               ? (size_class + 1) * kSmallStep
               : kSmallMax + (size_class + 1 - kSmallMax / kSmallStep) * kLargeStep;
  }
  [[nodiscard]] MagazinePtr take_full(std::size_t size_class) noexcept;
  void discard(MagazinePtr magazine, std::size_t size_class) noexcept;

  const std::size_t bytes_max_;
  std::array<Depot, kClasses> depots_;
  std::array<MagazinePtr, kClasses> filling_;  // The giver's.
  // In depots and magazines, those that takers hold included; counted by whole magazines.
  std::atomic<std::size_t> kept_bytes_{0};
};

}  // namespace dualstream::event
