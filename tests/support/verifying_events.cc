#include "support/verifying_events.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <unordered_map>
#include <utility>

namespace dualstream::testing {
namespace {

constexpr int kSequenceBits = 40;
// A report that names every difference of a bad run would bury the first.
constexpr std::size_t kExamplesMax = 5;

std::uint64_t tag_of(std::size_t source, std::uint64_t sequence) {
  return std::uint64_t{source} << kSequenceBits | sequence;
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

std::string hex(std::uint64_t value) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
  return text.data();
}

// The unsigned number behind `"name":` in a payload of ours.
std::optional<std::uint64_t> number_in(std::string_view payload, std::string_view name) {
  const std::string field = '"' + std::string{name} + "\":";
  const std::size_t at = payload.find(field);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const char* begin = payload.data() + at + field.size();
  std::uint64_t value = 0;
  if (std::from_chars(begin, payload.data() + payload.size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

std::string place(const Record& record) {
  return "partition " + std::to_string(record.partition) + " offset " +
         std::to_string(record.offset);
}

// Counts differences of one kind and tells the first few.
class Kind {
 public:
  Kind(std::string_view name, std::size_t& count, std::string& text)
      : name_{name}, count_{count}, text_{text} {}

  void add(const std::string& example) {
    if (++count_ <= kExamplesMax) {
      text_ += std::string{name_} + ": " + example + '\n';
    } else if (count_ == kExamplesMax + 1) {
      text_ += std::string{name_} + ": and more\n";
    }
  }

 private:
  std::string_view name_;
  std::size_t& count_;
  std::string& text_;
};

}  // namespace

EventView VerifyingEvent::view() const {
  return {.id = id,
          .type = type,
          .source_type = source_type,
          .source_id = source_id,
          .payload = payload,
          .tag = tag_of(source, sequence)};
}

std::size_t source_of(std::uint64_t tag) { return static_cast<std::size_t>(tag >> kSequenceBits); }

std::uint64_t sequence_of(std::uint64_t tag) {
  return tag & ((std::uint64_t{1} << kSequenceBits) - 1);
}

VerifyingEvents::VerifyingEvents(VerifyingEventsOptions options) : options_{std::move(options)} {}

std::string VerifyingEvents::source_id(std::size_t source) const {
  return options_.source_prefix + std::to_string(source);
}

VerifyingEvent VerifyingEvents::make(std::size_t source, std::uint64_t sequence) const {
  VerifyingEvent event;
  event.source = source;
  event.sequence = sequence;
  event.source_id = source_id(source);
  event.id = event.source_id + '#' + std::to_string(sequence);
  event.type = "VerifyEvent";
  event.source_type = "repo";
  event.payload.reserve(options_.payload_bytes);
  event.payload = R"({"id":")" + event.id + R"(","type":"VerifyEvent","repo":{"name":")" +
                  event.source_id + R"("},"seed":)" + std::to_string(options_.seed) +
                  R"(,"source":)" + std::to_string(source) + R"(,"sequence":)" +
                  std::to_string(sequence) + R"(,"pad":")";
  // What follows the pad: its quote, ,"hash":"<16 digits>"}.
  constexpr std::size_t kTailBytes = 28;
  if (event.payload.size() + kTailBytes < options_.payload_bytes) {
    event.payload.append(options_.payload_bytes - event.payload.size() - kTailBytes, 'x');
  }
  event.payload += '"';
  event.payload += R"(,"hash":")" + hex(fnv1a(event.payload)) + R"("})";
  return event;
}

std::optional<VerifyingEvent> VerifyingEvents::recognise(std::string_view payload) const {
  const std::optional<std::uint64_t> source = number_in(payload, "source");
  const std::optional<std::uint64_t> sequence = number_in(payload, "sequence");
  if (!source || !sequence || *source >= 1U << 24U || *sequence >> kSequenceBits != 0) {
    return std::nullopt;
  }
  VerifyingEvent event = make(static_cast<std::size_t>(*source), *sequence);
  if (event.payload != payload) {
    return std::nullopt;
  }
  return event;
}

void EventsChecker::expect(std::size_t source, std::uint64_t sequence, std::int32_t partition,
                           std::int64_t offset) {
  expectations_[tag_of(source, sequence)] = {
      .rule = Rule::present, .partition = partition, .offset = offset};
}

void EventsChecker::allow(std::size_t source, std::uint64_t sequence) {
  expectations_[tag_of(source, sequence)] = {.rule = Rule::allowed};
}

void EventsChecker::forbid(std::size_t source, std::uint64_t sequence) {
  expectations_[tag_of(source, sequence)] = {.rule = Rule::absent};
}

void EventsChecker::expect(const Outcome& outcome) {
  const std::size_t source = source_of(outcome.tag);
  const std::uint64_t sequence = sequence_of(outcome.tag);
  switch (outcome.kind) {
    case OutcomeKind::delivered:
      expect(source, sequence, outcome.partition, outcome.offset);
      return;
    case OutcomeKind::failed:
      outcome.persisted == Persisted::no ? forbid(source, sequence) : allow(source, sequence);
      return;
    case OutcomeKind::refused:
      forbid(source, sequence);
      return;
    case OutcomeKind::pending:
      allow(source, sequence);
      return;
  }
}

CheckReport EventsChecker::check(const std::vector<Record>& records) const {
  struct Seen {
    std::size_t times = 0;
    bool at_its_place = false;
    std::string where;
  };

  CheckReport report;
  report.records = records.size();
  Kind missing{"missing", report.missing, report.text};
  Kind forbidden{"forbidden", report.forbidden, report.text};
  Kind unexpected{"unexpected", report.unexpected, report.text};
  Kind duplicate{"duplicate", report.duplicates, report.text};
  Kind out_of_order{"out of order", report.out_of_order, report.text};
  Kind corrupt{"corrupt", report.corrupt, report.text};
  Kind misplaced{"misplaced", report.misplaced, report.text};

  std::unordered_map<std::uint64_t, Seen> seen;
  // The latest first appearance of each source: what came before it may only be a repeat.
  std::unordered_map<std::size_t, std::uint64_t> latest;
  for (const Record& record : records) {
    const std::optional<VerifyingEvent> event = events_.recognise(record.value.value_or(""));
    if (!event || record.key != event->source_id) {
      corrupt.add(place(record) + " key '" + record.key.value_or("(null)") + "' value '" +
                  record.value.value_or("(null)").substr(0, 120) + "'");
      continue;
    }
    if (record.partition != record.java_partition) {
      misplaced.add(event->id + " at " + place(record) + ", Java chooses partition " +
                    std::to_string(record.java_partition));
    }
    const std::uint64_t tag = tag_of(event->source, event->sequence);
    const auto expectation = expectations_.find(tag);
    if (expectation == expectations_.end()) {
      unexpected.add(event->id + " at " + place(record));
      continue;
    }
    Seen& this_seen = seen[tag];
    const Expectation& promised = expectation->second;
    this_seen.at_its_place |= promised.offset < 0 || (record.partition == promised.partition &&
                                                      record.offset == promised.offset);
    if (++this_seen.times > 1) {
      duplicate.add(event->id + " at " + place(record) + ", first at " + this_seen.where);
      continue;
    }
    this_seen.where = place(record);
    if (promised.rule == Rule::absent) {
      forbidden.add(event->id + " at " + place(record));
    }
    const auto [newest, first] = latest.try_emplace(event->source, event->sequence);
    if (!first && event->sequence < newest->second) {
      out_of_order.add(event->id + " at " + place(record) + " stands after sequence " +
                       std::to_string(newest->second));
    } else {
      newest->second = event->sequence;
    }
  }
  for (const auto& [tag, promised] : expectations_) {
    const std::string id =
        events_.source_id(source_of(tag)) + '#' + std::to_string(sequence_of(tag));
    const auto found = seen.find(tag);
    if (found == seen.end()) {
      if (promised.rule == Rule::present) {
        missing.add(id);
      }
    } else if (!found->second.at_its_place) {
      misplaced.add(id + " at " + found->second.where + ", its outcome said partition " +
                    std::to_string(promised.partition) + " offset " +
                    std::to_string(promised.offset));
    }
  }
  return report;
}

}  // namespace dualstream::testing
