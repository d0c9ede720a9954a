#include "event/event_parser.h"

#include <array>
#include <charconv>
#include <new>

#include "event/json_library.h"

namespace dualstream::event {
namespace {

constexpr std::size_t kFirstCapacity = 4096;

bool is_pointer(std::string_view field) { return field.starts_with('/'); }

// A field of the event: a constant, or a JSON Pointer into each line.
struct Field {
  const char* name;
  std::string where;
  std::string_view EventView::*target;
  std::string text;  // An integer, written out.
};

std::string phrase(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "not valid UTF-8";
    case simdjson::DEPTH_ERROR:
      return "nested deeper than json.depth_max";
    case simdjson::UNCLOSED_STRING:
      return "a string is not closed";
    case simdjson::UNESCAPED_CHARS:
      return "a control character stands in a string without an escape";
    case simdjson::STRING_ERROR:
      return "a string has a bad escape";
    case simdjson::NUMBER_ERROR:
      return "a number is malformed or too long";
    case simdjson::EMPTY:
      return "empty";
    case simdjson::TAPE_ERROR:
      return "not one whole JSON object";
    default:
      return std::string{"not valid JSON: "} + simdjson::error_message(error);
  }
}

}  // namespace

struct EventParser::State {
  simdjson::dom::parser parser;
  std::size_t line_bytes_max = 0;
  std::array<Field, 4> fields;
  // The fields that are looked up; constants are copied once.
  EventView constants;
};

EventParser::EventParser(const JsonOptions& options) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.line_bytes_max = options.line_bytes_max;
  state.fields = {{{"id", options.id, &EventView::id, {}},
                   {"type", options.type, &EventView::type, {}},
                   {"source_type", options.source_type, &EventView::source_type, {}},
                   {"source_id", options.source_id, &EventView::source_id, {}}}};
  for (const Field& field : state.fields) {
    if (!is_pointer(field.where)) state.constants.*field.target = field.where;
  }
  // Grows with the longest line seen, never beyond the limit on a line; keeps the depth.
  state.parser = simdjson::dom::parser{options.line_bytes_max};
  if (state.parser.allocate(kFirstCapacity, options.depth_max) != simdjson::SUCCESS)
    throw std::bad_alloc{};
}

EventParser::~EventParser() = default;

std::uint64_t EventParser::bytes_max(const JsonOptions& options) noexcept {
  // A padded copy of the line, simdjson's tape of 8 bytes for each of its bytes, 4 bytes of
  // structural index, and the decoded strings at up to 5/3 of the line (simdjson's
  // document::allocate and parser::allocate).
  return options.line_bytes_max * (1 + 8 + 4 + 2) + 64 * 1024;
}

EventParser::Result EventParser::parse(std::string_view line, EventView& event,
                                       std::string& reason) {
  State& state = *state_;
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.size() > state.line_bytes_max) {
    reason = "longer than json.line_bytes_max (" + std::to_string(state.line_bytes_max) + " bytes)";
    return Result::too_large;
  }
  if (line.empty()) {  // simdjson copies it, and from nowhere if nothing is there.
    reason = phrase(simdjson::EMPTY);
    return Result::invalid;
  }
  simdjson::dom::element document;
  if (const auto error = state.parser.parse(line.data(), line.size()).get(document)) {
    reason = phrase(error);
    return Result::invalid;
  }
  if (!document.is_object()) {
    reason = "not a JSON object";
    return Result::invalid;
  }
  event = state.constants;
  event.payload = line;
  for (Field& field : state.fields) {
    if (!is_pointer(field.where)) continue;
    simdjson::dom::element value;
    if (document.at_pointer(field.where).get(value) != simdjson::SUCCESS) {
      reason = field.where + " (" + field.name + ") is missing";
      return Result::invalid;
    }
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) {
      event.*field.target = text;
      continue;
    }
    std::array<char, 24> digits;
    std::to_chars_result written{digits.data(), std::errc::invalid_argument};
    std::int64_t number = 0;
    std::uint64_t large = 0;
    if (value.get(number) == simdjson::SUCCESS) {
      written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    } else if (value.get(large) == simdjson::SUCCESS) {
      written = std::to_chars(digits.data(), digits.data() + digits.size(), large);
    }
    if (written.ec != std::errc{}) {
      reason = field.where + " (" + field.name + ") is neither a string nor an integer";
      return Result::invalid;
    }
    field.text.assign(digits.data(), written.ptr);
    event.*field.target = field.text;
  }
  return Result::ok;
}

Status validate_fields(const JsonOptions& options) {
  const std::array<std::pair<const char*, const std::string&>, 4> fields{
      {{"json.id", options.id},
       {"json.type", options.type},
       {"json.source_type", options.source_type},
       {"json.source_id", options.source_id}}};
  for (const auto& [name, where] : fields) {
    if (where.empty()) {
      return Status::error(
          StatusCode::invalid_options,
          std::string{name} + " is empty; give a JSON Pointer such as /repo/name, or a constant",
          std::string{name});
    }
    if (!is_pointer(where)) continue;
    // RFC 6901, section 3: '~' is followed by 0 or 1.
    for (std::size_t i = where.find('~'); i != std::string::npos; i = where.find('~', i + 1)) {
      if (i + 1 < where.size() && (where[i + 1] == '0' || where[i + 1] == '1')) continue;
      return Status::error(StatusCode::invalid_options,
                           std::string{name} + " = `" + where +
                               "` is not a JSON Pointer: ~ must be followed by 0 or 1 (RFC 6901)",
                           std::string{name});
    }
  }
  return {};
}

std::string simdjson_version() { return SIMDJSON_STRINGIFY(SIMDJSON_VERSION); }

}  // namespace dualstream::event
