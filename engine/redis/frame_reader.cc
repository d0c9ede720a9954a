#include "redis/frame_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "event/json_library.h"

namespace dualstream::redis {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

bool text_of(const object& from, const char* name, std::string& out) {
  std::string_view text;
  if (from[name].get(text) != simdjson::SUCCESS) return false;
  out = text;
  return true;
}

// False when it is there and no number that fits; `out` stays when it is absent.
template <typename Number>
bool number_of(const object& from, const char* name, Number& out) {
  element value;
  if (from[name].get(value) != simdjson::SUCCESS) return true;
  std::int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS || number < 0) return false;
  if (std::cmp_greater(number, std::numeric_limits<Number>::max())) return false;
  out = static_cast<Number>(number);
  return true;
}

bool told_of(const object& from, Told& told) {
  return text_of(from, "id", told.id) && number_of(from, "partition", told.partition) &&
         number_of(from, "offset", told.offset) && number_of(from, "prev", told.previous);
}

// Of the newest event's source and partition each one's predecessor is the one before it in the
// frame, and the first one's is the frame's `prev`. If the frame's channel missed some, one of them
// may lie in between.
void chain(std::vector<Told>& told, std::uint64_t missed) {
  Told& newest = told.back();
  std::int64_t previous = std::exchange(newest.previous, -1);
  for (Told& each : told) {
    if (each.source_id != newest.source_id || each.partition != newest.partition) continue;
    each.previous = previous;
    previous = missed > 0 ? -1 : each.offset;
  }
}

}  // namespace

struct FrameReader::State {
  simdjson::dom::parser parser{kMessageBytesMax};
};

FrameReader::FrameReader() : state_(std::make_unique<State>()) {}
FrameReader::~FrameReader() = default;

bool FrameReader::read(std::string_view message, std::vector<Told>& told, std::uint64_t& missed,
                       std::string& reason) {
  told.clear();
  missed = 0;
  object frame;
  const simdjson::error_code error =
      state_->parser.parse(message.data(), message.size()).get(frame);
  if (error != simdjson::SUCCESS) {
    reason =
        error == simdjson::INCORRECT_TYPE ? "not a JSON object" : simdjson::error_message(error);
    return false;
  }
  Told newest;
  if (!told_of(frame, newest) || !text_of(frame, "type", newest.type) ||
      !text_of(frame, "source_id", newest.source_id) || !number_of(frame, "missed", missed)) {
    reason = "id, type or source_id is missing, or a number is none";
    return false;
  }
  simdjson::dom::array earlier;
  if (frame["earlier"].get(earlier) == simdjson::SUCCESS) {
    for (const element item : earlier) {
      object fields;
      Told& one = told.emplace_back();
      // What it does not say is the same.
      one.type = newest.type;
      one.partition = newest.partition;
      one.source_id = newest.source_id;
      if (item.get(fields) != simdjson::SUCCESS || !told_of(fields, one)) {
        reason = "an item of `earlier` is no notification";
        return false;
      }
      text_of(fields, "type", one.type);
      text_of(fields, "source_id", one.source_id);
    }
  }
  told.push_back(std::move(newest));
  chain(told, missed);
  return true;
}

}  // namespace dualstream::redis
