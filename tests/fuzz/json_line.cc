// A line of JSON, as an ingester is given it: whatever is taken is JSON for another strict parser
// too, stays as it is, and has its four fields.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "event/event_parser.h"
#include "fuzz/require.h"

using dualstream::EventView;
using dualstream::event::EventParser;
using dualstream::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static EventParser parser{{.line_bytes_max = 4096, .depth_max = 16}};
  const std::string_view line{reinterpret_cast<const char*>(data), size};
  EventView event;
  std::string reason;
  switch (parser.parse(line, event, reason)) {
    case EventParser::Result::ok:
      require(line.starts_with(event.payload), "the payload is the line");
      require(line.find_first_not_of("\r\n", event.payload.size()) == std::string_view::npos,
              "only its end is taken off");
      require(nlohmann::json::accept(event.payload), "what is taken is JSON");
      require(event.source_type == "repo", "a constant is a constant");
      break;
    case EventParser::Result::invalid:
      require(!reason.empty(), "a refusal has a reason");
      break;
    case EventParser::Result::too_large:
      require(line.size() > 4096, "only a long line is too large");
      break;
  }
  return 0;
}
