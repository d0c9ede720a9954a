// A notification of arbitrary texts: its message is JSON, whatever they are, and says them again
// where they are UTF-8.
//
// The input, in lines: type, source_type, then an id and a source_id in turns.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "fuzz/require.h"
#include "redis/coalescer.h"
#include "redis/frame_reader.h"

using namespace dualstream::redis;  // NOLINT(google-build-using-namespace)
using dualstream::EventView;
using dualstream::event::Notification;
using dualstream::fuzz::require;

namespace {

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

bool is_utf8(std::string_view text) {
  try {
    static_cast<void>(nlohmann::json(std::string{text}).dump());
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

void check_text(const nlohmann::json& object, const char* name, std::string_view text) {
  const auto said = object.at(name).get<std::string>();
  require(!is_utf8(text) || said == text, "a text is said as it is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::string_view type = take_line(text);
  const std::string_view source_type = take_line(text);
  std::vector<ChannelTemplate> templates(1);
  require(ChannelTemplate::parse("all:{source_type}", 1, templates[0]).ok(), "it is a template");
  Coalescer coalescer{{.frame_bytes_max = 1 << 20}, templates};
  std::vector<std::pair<std::string_view, std::string_view>> events;
  do {
    const std::string_view id = take_line(text);
    const std::string_view source_id = take_line(text);
    const auto number = static_cast<std::int64_t>(events.size());
    const std::size_t dropped = coalescer.add(
        Notification{
            EventView{.id = id, .type = type, .source_type = source_type, .source_id = source_id},
            static_cast<std::int32_t>(number % 2), number},
        {});
    require(dropped == 0, "there is room");
    events.emplace_back(id, source_id);
  } while (!text.empty() && events.size() < 60);

  const auto frame = coalescer.take_due(dualstream::base::kNever);
  require(frame && frame->events() == events.size(), "one channel, one frame");
  MessageBuffer message;
  frame->render(message);
  const nlohmann::json json = nlohmann::json::parse(message.text(), nullptr, false);
  require(!json.is_discarded(), "a message is JSON");
  check_text(json, "id", events.back().first);
  check_text(json, "type", type);
  check_text(json, "source_id", events.back().second);
  const std::size_t earlier = json.contains("earlier") ? json["earlier"].size() : 0;
  require(earlier + 1 == events.size(), "all events are in it");
  for (std::size_t i = 0; i < earlier; ++i) {
    check_text(json["earlier"][i], "id", events[i].first);
    require(json["earlier"][i]["offset"] == i, "in order");
  }

  FrameReader reader;
  std::vector<Told> told;
  std::uint64_t missed = 0;
  std::string reason;
  require(reader.read(message.text(), told, missed, reason), "our own reader takes it");
  require(told.size() == events.size() && missed == 0, "with all events");
  for (std::size_t i = 0; i < told.size(); ++i) {
    const auto number = static_cast<std::int64_t>(i);
    require(told[i].offset == number && told[i].partition == number % 2, "at their places");
    require(!is_utf8(events[i].first) || told[i].id == events[i].first, "with their ids");
    require(!is_utf8(type) || told[i].type == type, "their types");
    require(!is_utf8(events[i].second) || told[i].source_id == events[i].second, "and sources");
  }
  return 0;
}
