#include "dead_letter.h"

#include "text.h"

namespace dualstream::command {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out.append("\"").append(name).append("\":");
  append_json_string(out, value);
  out += ',';
}

// A field of the event, which is not text for sure.
void append_bytes(std::string& out, std::string_view name, std::string_view bytes) {
  if (is_utf8(bytes)) return append_member(out, name, bytes);
  out += concat({"\"", name, R"(_base64":")", base64(bytes), "\","});
}

}  // namespace

void append_dead_letter(std::string& out, const Outcome& outcome, std::string_view input,
                        std::uint64_t line) {
  const EventView& event = outcome.event;
  out += '{';
  append_bytes(out, "id", event.id);
  append_bytes(out, "type", event.type);
  append_bytes(out, "source_type", event.source_type);
  append_bytes(out, "source_id", event.source_id);
  append_member(out, "reason", name(outcome.failure));
  append_member(out, "persisted", name(outcome.persisted));
  append_member(out, "detail", outcome.detail);
  append_member(out, "input", input);
  out.append("\"line\":").append(std::to_string(line)).append(",");
  append_bytes(out, "payload", event.payload);
  out.back() = '}';
  out += '\n';
}

}  // namespace dualstream::command
