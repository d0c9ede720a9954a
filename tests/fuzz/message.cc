// A message of a channel, as a subscriber reads it: whatever is taken for a notification is JSON
// for another parser too, and says what that one finds in it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "fuzz/require.h"
#include "redis/frame_reader.h"

using dualstream::fuzz::require;
using dualstream::redis::FrameReader;
using dualstream::redis::Told;
using nlohmann::json;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static FrameReader reader;
  const std::string_view message{reinterpret_cast<const char*>(data), size};
  std::vector<Told> told;
  std::uint64_t missed = 0;
  std::string reason;
  if (!reader.read(message, told, missed, reason)) {
    require(!reason.empty(), "a refusal has a reason");
    return 0;
  }
  require(!told.empty(), "a notification is of one event at least");
  for (const Told& each : told) {
    require(each.partition >= -1 && each.offset >= -1 && each.previous >= -1,
            "a place is one or unknown");
  }
  // Which of two members of one name counts is each parser's own affair.
  bool repeated = false;
  const json::parser_callback_t no_repeats =
      [&repeated, names = std::vector<std::vector<std::string>>{}](
          int /*depth*/, json::parse_event_t event, json& parsed) mutable {
        if (event == json::parse_event_t::object_start) names.emplace_back();
        if (event == json::parse_event_t::object_end) names.pop_back();
        if (event == json::parse_event_t::key) {
          const auto name = parsed.get<std::string>();
          for (const std::string& other : names.back()) repeated = repeated || other == name;
          names.back().push_back(name);
        }
        return true;
      };
  const json frame = json::parse(message, no_repeats, false);
  require(frame.is_object(), "what is taken is a JSON object");
  if (repeated) return 0;
  const Told& newest = told.back();
  require(frame.at("id") == newest.id && frame.at("type") == newest.type &&
              frame.at("source_id") == newest.source_id,
          "texts are read as they are");
  require(frame.value("offset", json(-1)) == newest.offset &&
              frame.value("partition", json(-1)) == newest.partition &&
              frame.value("missed", json(0)) == missed,
          "numbers are read as they are");
  const bool has_earlier = frame.contains("earlier") && frame.at("earlier").is_array();
  require(told.size() == 1 + (has_earlier ? frame.at("earlier").size() : 0), "all events are read");
  return 0;
}
