// BlockPool gives ingest threads the memory of events, cut from chunks that come round.
//
//   ingest thread: Taker::take() <--- chunks that are free again <--- give() : Kafka worker
//
// An event is made on one thread, read on two and ends on another, and a backlog is larger than the
// cache. So where its bytes lie decides what it costs: one after the other, in the order in which
// they are read, the processor fetches them before they are asked for (measured: a quarter of the
// whole path less than with blocks that come round in any order).
//
// A chunk is free again when all of its blocks are. One event that waits therefore keeps a whole
// chunk, which is why there are only so many of them: what finds no room there comes from malloc()
// and goes to free() by itself.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace dualstream::event {

// Thread:   give() on any, each Taker on one at a time. Neither ever waits for another.
// Lifetime: outlives its takers and every block.
class BlockPool {
  struct Chunk;

 public:
  // In bytes: all chunks, and those of them that are free. Beyond that they go back to malloc().
  struct Limits {
    std::size_t chunks_max = 0;
    std::size_t kept_max = 0;
  };
  static constexpr std::size_t kChunkBytes = std::size_t{16} * 1024;
  // A larger block is not cut from a chunk: its copy costs more than its memory.
  static constexpr std::size_t kCutMax = 4096;

  // Where a block comes from: its distance from its chunk's start, in lines of 64 bytes; 0 from
  // malloc().
  using Place = std::uint16_t;
  struct Block {
    void* at = nullptr;
    Place place = 0;
  };

  explicit BlockPool(const Limits& limits) : limits_(limits) {}
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // What a block for `bytes` takes.
  [[nodiscard]] static constexpr std::size_t rounded(std::size_t bytes) noexcept {
    return (bytes + kLine - 1) / kLine * kLine;
  }

  // An ingest thread's end. It cuts several chunks at a time, so that blocks which are used
  // together can stand together.
  class Taker {
   public:
    static constexpr std::size_t kStreams = 8;

    explicit Taker(BlockPool& pool) noexcept : pool_(pool) {}
    ~Taker();
    Taker(const Taker&) = delete;
    Taker& operator=(const Taker&) = delete;

    // rounded(bytes) of memory behind the last block of that stream, of which `stream` is taken
    // modulo kStreams. `at` is nullptr when there is none.
    [[nodiscard]] Block take(std::size_t bytes, std::size_t stream) noexcept;

   private:
    // A chunk that is being cut.
    struct Cut {
      Chunk* chunk = nullptr;
      std::size_t bytes = 0;
      std::uint32_t blocks = 0;
    };
    [[nodiscard]] bool open_chunk(Cut& cut) noexcept;

    BlockPool& pool_;
    std::array<Cut, kStreams> cuts_;
  };

  // Ends a block.
  static void give(void* block, Place place) noexcept;

  // Ends many blocks, at the latest when it is destroyed itself: neighbours in one go.
  class Giver {
   public:
    Giver() = default;
    ~Giver();
    Giver(const Giver&) = delete;
    Giver& operator=(const Giver&) = delete;

    void give(void* block, Place place) noexcept;

   private:
    Chunk* chunk_ = nullptr;
    std::uint32_t count_ = 0;  // Of its blocks, which are not given back yet.
  };

  // Of all chunks, and of the free ones; exact only while nobody takes or gives.
  [[nodiscard]] std::size_t chunk_bytes() const noexcept {
    return chunk_bytes_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::size_t kept_bytes() const noexcept {
    return kept_bytes_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kLine = 64;

  [[nodiscard]] static Chunk* chunk_of(void* block, Place place) noexcept;
  // Ends `count` blocks of it.
  static void give_back(Chunk* chunk, std::uint32_t count) noexcept;
  [[nodiscard]] Chunk* free_or_new_chunk() noexcept;
  void keep(Chunk* chunk) noexcept;
  void release(Chunk* chunk) noexcept;

  const Limits limits_;
  std::mutex mutex_;
  Chunk* free_ = nullptr;  // Guarded by mutex_: the last one to come is the first to go.
  std::atomic<std::size_t> kept_bytes_{0};
  std::atomic<std::size_t> chunk_bytes_{0};
};

}  // namespace dualstream::event
