// EventParser finds an event's fields in a line of JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "dualstream/event_view.h"
#include "dualstream/options.h"
#include "dualstream/status.h"

namespace dualstream::event {

// The whole line is validated, also what no field points to: what the engine publishes as JSON is
// JSON.
//
// Thread: one at a time; each Publisher has its own.
class EventParser {
 public:
  enum class Result : std::uint8_t { ok, invalid, too_large };

  explicit EventParser(const JsonOptions& options);
  ~EventParser();

  // What a parser with these options can hold at the most.
  [[nodiscard]] static std::uint64_t bytes_max(const JsonOptions& options) noexcept;

  EventParser(const EventParser&) = delete;
  EventParser& operator=(const EventParser&) = delete;

  // Fills `event`: its fields point into the parser and live until the next call, its payload is
  // `line` without a trailing newline. Otherwise `reason` is a phrase that says what is wrong with
  // the line.
  [[nodiscard]] Result parse(std::string_view line, EventView& event, std::string& reason);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether the fields of `options` are constants or well-formed JSON Pointers.
[[nodiscard]] Status validate_fields(const JsonOptions& options);

// As the library that is linked says itself.
[[nodiscard]] std::string simdjson_version();

}  // namespace dualstream::event
