#include "dead_letter_reader.h"

#include <array>

#include <simdjson.h>

#include "text.h"

namespace dualstream::command {
namespace {

struct Field {
  std::string_view name;
  std::string_view EventView::*target;
};

constexpr std::array<Field, 5> kFields{{{"id", &EventView::id},
                                        {"type", &EventView::type},
                                        {"source_type", &EventView::source_type},
                                        {"source_id", &EventView::source_id},
                                        {"payload", &EventView::payload}}};

// A control byte is written as six: \u001b.
constexpr std::size_t kWrittenBytesMax = 6;

// Where it was read, and why it failed, in Kafka's words.
constexpr std::size_t kOtherBytesMax = 64 * 1024;

}  // namespace

struct DeadLetterReader::State {
  simdjson::dom::parser parser;
  // What was written as base64, a text for each field.
  std::array<std::string, kFields.size()> decoded;

  // The value of a field, or what is wrong with it.
  std::optional<std::string> read_field(const simdjson::dom::object& letter, std::size_t at,
                                        std::string_view& value) {
    const std::string_view name = kFields[at].name;
    simdjson::error_code error = letter[name].get(value);
    if (error == simdjson::SUCCESS) return std::nullopt;
    if (error != simdjson::NO_SUCH_FIELD) return concat({name, " is not a string"});
    std::string_view encoded;
    error = letter[concat({name, "_base64"})].get(encoded);
    if (error == simdjson::NO_SUCH_FIELD) return concat({name, " is missing"});
    if (error != simdjson::SUCCESS || !from_base64(encoded, decoded[at])) {
      return concat({name, "_base64 is not base64"});
    }
    value = decoded[at];
    return std::nullopt;
  }
};

DeadLetterReader::DeadLetterReader() : state_(std::make_unique<State>()) {}
DeadLetterReader::~DeadLetterReader() = default;

std::optional<std::string> DeadLetterReader::read(std::string_view line, EventView& event) {
  simdjson::dom::object letter;
  if (const simdjson::error_code error = state_->parser.parse(line.data(), line.size()).get(letter);
      error != simdjson::SUCCESS) {
    return concat({"not a dead letter: ", error == simdjson::INCORRECT_TYPE
                                              ? "not a JSON object"
                                              : simdjson::error_message(error)});
  }
  for (std::size_t at = 0; at < kFields.size(); ++at) {
    std::string_view value;
    if (const auto wrong = state_->read_field(letter, at, value); wrong) {
      return "not a dead letter: " + *wrong;
    }
    event.*kFields[at].target = value;
  }
  return std::nullopt;
}

std::size_t DeadLetterReader::line_bytes_max(std::size_t event_bytes_max) noexcept {
  const std::size_t fields = kIdBytesMax + kTypeBytesMax + kSourceTypeBytesMax + kSourceIdBytesMax;
  return kWrittenBytesMax * (event_bytes_max + fields) + kOtherBytesMax;
}

}  // namespace dualstream::command
