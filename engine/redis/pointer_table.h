// PointerTable finds objects that live elsewhere by their hash: one cache line for most look-ups,
// no division, and no allocation but when it grows.
//
//   | hash, object | empty | hash, object | hash, object | empty | ...   a power of two of places
//
// Open addressing, linear probing, at most three quarters full; erasing shifts back what followed.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace dualstream::redis {

// Thread:   one at a time.
// Lifetime: its objects outlive their stay in it.
template <typename T>
class PointerTable {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  // The object with this hash that `is_it` says yes to, or null.
  template <typename IsIt>
  [[nodiscard]] T* find(std::size_t hash, IsIt&& is_it) const noexcept {
    if (places_.empty()) return nullptr;
    for (std::size_t at = home(hash); places_[at].object != nullptr; at = after(at)) {
      if (places_[at].hash == hash && is_it(*places_[at].object)) return places_[at].object;
    }
    return nullptr;
  }

  // After it one insert() does not fail.
  void make_room() {
    if ((size_ + 1) * 4 > places_.size() * 3) grow();
  }

  // It is not in the table yet.
  void insert(std::size_t hash, T& object) noexcept {
    std::size_t at = home(hash);
    while (places_[at].object != nullptr) at = after(at);
    places_[at] = {hash, &object};
    size_ += 1;
  }

  // It is in the table, under this hash.
  void erase(std::size_t hash, const T& object) noexcept {
    std::size_t hole = home(hash);
    while (places_[hole].object != &object) hole = after(hole);
    for (std::size_t at = after(hole); places_[at].object != nullptr; at = after(at)) {
      // It may move to the hole unless its home lies behind the hole.
      const std::size_t from_home = (at - home(places_[at].hash)) & mask();
      if (from_home < ((at - hole) & mask())) continue;
      places_[hole] = places_[at];
      hole = at;
    }
    places_[hole] = {};
    size_ -= 1;
  }

 private:
  struct Place {
    std::size_t hash = 0;
    T* object = nullptr;
  };

  [[nodiscard]] std::size_t mask() const noexcept { return places_.size() - 1; }
  [[nodiscard]] std::size_t home(std::size_t hash) const noexcept { return hash & mask(); }
  [[nodiscard]] std::size_t after(std::size_t at) const noexcept { return (at + 1) & mask(); }

  void grow() {
    std::vector<Place> before(places_.empty() ? 64 : 2 * places_.size());
    places_.swap(before);
    size_ = 0;
    for (const Place& place : before) {
      if (place.object != nullptr) insert(place.hash, *place.object);
    }
  }

  std::vector<Place> places_;
  std::size_t size_ = 0;
};

}  // namespace dualstream::redis
