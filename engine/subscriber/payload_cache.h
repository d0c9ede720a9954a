// PayloadCache keeps the newest payloads that were fetched, for readers of the same source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
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

  void add(std::int32_t partition, std::int64_t offset, const std::string& id, Payload payload) {
    Entry entry{.id = id, .payload = std::move(payload)};
    const std::size_t bytes = cost(entry);
    if (bytes > bytes_max_) return;
    const Place place{partition, offset};
    if (!payloads_.try_emplace(place, std::move(entry)).second) return;
    order_.push_back(place);
    bytes_ += bytes;
    while (bytes_ > bytes_max_) {
      const auto oldest = payloads_.find(order_.front());
      bytes_ -= cost(oldest->second);
      payloads_.erase(oldest);
      order_.pop_front();
    }
  }

  void clear() noexcept {
    payloads_.clear();
    order_.clear();
    bytes_ = 0;
  }

  // Null when it is not here. The id tells it from that of an event that lay there before the topic
  // was made anew.
  [[nodiscard]] const Payload* find(std::int32_t partition, std::int64_t offset,
                                    std::string_view id) const {
    const auto found = payloads_.find({partition, offset});
    return found == payloads_.end() || found->second.id != id ? nullptr : &found->second.payload;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  using Place = std::pair<std::int32_t, std::int64_t>;
  struct Entry {
    std::string id;
    Payload payload;
  };

  // With the tables' own.
  static std::size_t cost(const Entry& entry) noexcept {
    return entry.payload.bytes.size() + entry.id.size() + 192;
  }

  const std::size_t bytes_max_;
  std::map<Place, Entry> payloads_;
  std::deque<Place> order_;
  std::size_t bytes_ = 0;
};

}  // namespace dualstream::subscriber
