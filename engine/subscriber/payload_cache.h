// PayloadCache keeps the newest payloads that were fetched, for readers of the same source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace dualstream::subscriber {

// Bounded by bytes; what was added first goes first.
//
// Thread: one at a time.
class PayloadCache {
 public:
  struct Payload {
    std::int64_t timestamp_ms = -1;
    std::string bytes;
  };

  explicit PayloadCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void add(std::int32_t partition, std::int64_t offset, std::int64_t timestamp_ms,
           const std::string& payload) {
    if (cost(payload) > bytes_max_) return;
    const Place place{partition, offset};
    if (!payloads_.try_emplace(place, Payload{.timestamp_ms = timestamp_ms, .bytes = payload})
             .second) {
      return;
    }
    order_.push_back(place);
    bytes_ += cost(payload);
    while (bytes_ > bytes_max_) {
      const auto oldest = payloads_.find(order_.front());
      bytes_ -= cost(oldest->second.bytes);
      payloads_.erase(oldest);
      order_.pop_front();
    }
  }

  // Null when it is not here.
  [[nodiscard]] const Payload* find(std::int32_t partition, std::int64_t offset) const {
    const auto found = payloads_.find({partition, offset});
    return found == payloads_.end() ? nullptr : &found->second;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  using Place = std::pair<std::int32_t, std::int64_t>;

  // With the tables' own.
  static std::size_t cost(const std::string& payload) noexcept { return payload.size() + 160; }

  const std::size_t bytes_max_;
  std::map<Place, Payload> payloads_;
  std::deque<Place> order_;
  std::size_t bytes_ = 0;
};

}  // namespace dualstream::subscriber
