// ChannelReaders are subscribers of every channel who believe what they are told: of each source
// they hold the newest offset, and think that they have a gap only where `prev` or `missed` says
// so. Whoever is told nothing and misses an event all the same has a silent gap, which breaks the
// simulation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <simdjson.h>

#include "simulation/truth.h"

namespace dualstream::simulation {

class ChannelReaders {
 public:
  struct Rules {
    bool acknowledged_only = true;  // notify = acknowledged.
    bool in_order = true;           // No connection's last words are heard after the next one's.
  };

  ChannelReaders(const Rules& rules, Truth& truth) : rules_(rules), truth_(truth) {}

  // What a message said of itself.
  struct Told {
    std::size_t events = 0;
    std::uint64_t missed = 0;
  };
  Told receive(const std::string& channel, const std::string& message);

  // Readers may not miss a `prev` that the engine has to know. Off when it has reason to forget.
  void expect_prev_always(bool expected) noexcept { prev_always_ = expected; }

  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
  [[nodiscard]] std::uint64_t gaps_seen() const noexcept { return gaps_seen_; }

 private:
  struct Item {
    std::uint64_t tag = 0;
    std::int32_t partition = -1;
    std::int64_t offset = -1;
    std::int64_t prev = -1;
    bool says_prev = false;  // `prev` or its absence speaks of this event.
  };
  struct Channel {
    std::unordered_set<std::uint64_t> seen;
    std::map<std::pair<std::uint32_t, std::int32_t>, std::int64_t> held;  // Source, partition.
  };

  [[nodiscard]] Item read_item(simdjson::dom::element json, std::int32_t partition_otherwise);
  void check_item(Channel& reader, const std::string& channel, const Item& item,
                  std::uint64_t missed);

  const Rules rules_;
  Truth& truth_;
  bool prev_always_ = false;
  simdjson::dom::parser parser_;
  std::unordered_map<std::string, Channel> channels_;
  std::vector<Item> items_;  // Kept for its memory.
  std::uint64_t received_ = 0;
  std::uint64_t gaps_seen_ = 0;
};

}  // namespace dualstream::simulation
