#include "dead_letter.h"

#include "text.h"

namespace dualstream::command {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out.append("\"").append(name).append("\":");
  append_json_string(out, value);
  out += ',';
}

}  // namespace

void append_dead_letter(std::string& out, const Outcome& outcome, std::string_view input,
                        std::uint64_t line) {
  const EventView& event = outcome.event;
  out += '{';
  append_member(out, "id", event.id);
  append_member(out, "type", event.type);
  append_member(out, "source_type", event.source_type);
  append_member(out, "source_id", event.source_id);
  append_member(out, "reason", name(outcome.failure));
  append_member(out, "persisted", name(outcome.persisted));
  append_member(out, "detail", outcome.detail);
  append_member(out, "input", input);
  out.append("\"line\":").append(std::to_string(line)).append(",");
  if (is_utf8(event.payload)) {
    out.append("\"payload\":");
    append_json_string(out, event.payload);
  } else {
    out.append("\"payload_base64\":\"").append(base64(event.payload)).append("\"");
  }
  out.append("}\n");
}

}  // namespace dualstream::command
