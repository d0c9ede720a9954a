// VerifyingEvents makes events that can be checked without anything but themselves, and
// EventsChecker checks the topic that they went to.
//
// The payload is a JSON object that publish_json() and the command read by their defaults:
//
//   {"id":"load/s7#42","type":"VerifyEvent","repo":{"name":"load/s7"},"seed":1,"source":7,
//    "sequence":42,"pad":"xx...x","hash":"0123456789abcdef"}
//
// on one line; `hash` is FNV-1a (64 bits) of every byte before `,"hash"`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dualstream/event_view.h"
#include "dualstream/outcome.h"
#include "support/topic_reader.h"

namespace dualstream::testing {

// One event, with its own bytes. A value.
struct VerifyingEvent {
  std::size_t source = 0;
  std::uint64_t sequence = 0;
  std::string id;
  std::string type;
  std::string source_type;
  std::string source_id;
  std::string payload;

  // Borrows. The tag holds source (24 bits) and sequence (40 bits): see source_of() and
  // sequence_of().
  [[nodiscard]] EventView view() const;
};

[[nodiscard]] std::size_t source_of(std::uint64_t tag);
[[nodiscard]] std::uint64_t sequence_of(std::uint64_t tag);

struct VerifyingEventsOptions {
  // Goes into every payload: events of another run are told apart.
  std::uint64_t seed = 1;
  // The payload's size; at least what the fields take, about 130.
  std::size_t payload_bytes = 256;
  // Source 7 is called "<source_prefix>7".
  std::string source_prefix = "load/s";
};

// A value. The same arguments give the same event, byte for byte.
class VerifyingEvents {
 public:
  explicit VerifyingEvents(VerifyingEventsOptions options = {});

  [[nodiscard]] VerifyingEvent make(std::size_t source, std::uint64_t sequence) const;
  [[nodiscard]] std::string source_id(std::size_t source) const;

  // The event that a payload says it is; nothing unless it is exactly what make() gives.
  [[nodiscard]] std::optional<VerifyingEvent> recognise(std::string_view payload) const;

 private:
  VerifyingEventsOptions options_;
};

// What is wrong with a topic, counted; `text` tells the first few of each kind.
struct CheckReport {
  std::size_t records = 0;
  std::size_t missing = 0;       // Expected, not there.
  std::size_t forbidden = 0;     // There, though reported as failed and not persisted.
  std::size_t unexpected = 0;    // There, but never accepted.
  std::size_t duplicates = 0;    // There again.
  std::size_t out_of_order = 0;  // After a later event of the same source. Repeats do not count.
  std::size_t corrupt = 0;       // Not an event of this run, byte for byte, or with another key.
  std::size_t misplaced = 0;     // Not in the partition that Java chooses, or not where its outcome
                                 // said.
  std::string text;

  // Nothing at all is wrong.
  [[nodiscard]] bool ok() const { return ok_but_for_duplicates() && duplicates == 0; }
  // For at-least-once cases: a rebuilt producer or a restart may repeat events.
  [[nodiscard]] bool ok_but_for_duplicates() const {
    return missing + forbidden + unexpected + out_of_order + corrupt + misplaced == 0;
  }
};

// Holds what was promised for each accepted event and compares a topic with it.
//
// Thread: one thread at a time; on_outcomes is such a thread.
class EventsChecker {
 public:
  explicit EventsChecker(const VerifyingEvents& events) : events_{events} {}

  // The event has to be there exactly once, at this place when it is known.
  void expect(std::size_t source, std::uint64_t sequence, std::int32_t partition = -1,
              std::int64_t offset = -1);
  // It may be there, once.
  void allow(std::size_t source, std::uint64_t sequence);
  // It must not be there.
  void forbid(std::size_t source, std::uint64_t sequence);
  // One of the three, as the outcome says. By Outcome::tag.
  void expect(const Outcome& outcome);

  // How many events were named.
  [[nodiscard]] std::size_t size() const { return expectations_.size(); }

  [[nodiscard]] CheckReport check(const std::vector<Record>& records) const;

 private:
  enum class Rule : std::uint8_t { present, allowed, absent };
  struct Expectation {
    Rule rule = Rule::present;
    std::int32_t partition = -1;
    std::int64_t offset = -1;
  };

  VerifyingEvents events_;
  // By tag, that is by source and then by sequence.
  std::map<std::uint64_t, Expectation> expectations_;
};

}  // namespace dualstream::testing
