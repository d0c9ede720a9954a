#include "update_text.h"

#include <array>
#include <ctime>

#include "text.h"

namespace dualstream::command {
namespace {

constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";

// More of a payload does not fit on a line that one can read.
constexpr std::size_t kPayloadShown = 200;

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out.append(out.back() == '{' ? "\"" : ",\"").append(name).append("\":");
  append_json_string(out, text);
}

void append_member(std::string& out, std::string_view name, std::int64_t number) {
  out.append(out.back() == '{' ? "\"" : ",\"").append(name).append("\":");
  out.append(std::to_string(number));
}

void append(std::string& out, bool colored, std::string_view color, std::string_view text) {
  if (colored) out.append(color);
  out.append(text);
  if (colored) out.append(kPlain);
}

std::string place_text(const Update& update) {
  if (update.offset < 0) return "-";
  return std::to_string(update.partition) + ":" + std::to_string(update.offset);
}

std::string time_text(std::int64_t timestamp_ms) {
  const std::time_t seconds = timestamp_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 16> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%H:%M:%S", &parts);
  std::string ms = std::to_string(timestamp_ms % 1000);
  ms.insert(0, 3 - ms.size(), '0');
  return std::string{text.data(), size} + "." + ms + "Z ";
}

std::string gap_line(const Update& gap, bool colored) {
  std::string line;
  append(line, colored, kRed, "GAP");
  line.append(" partition ").append(std::to_string(gap.partition));
  if (gap.reason == GapReason::topic_changed) {
    line.append(": the topic was made anew; all that it holds now follows, and offsets from ");
    return line.append(std::to_string(gap.offset)).append(" on of the old one may be missing\n");
  }
  line.append(": offsets ").append(std::to_string(gap.offset)).append(" to ");
  line.append(std::to_string(gap.gap_end - 1));
  line.append(" cannot be read (").append(name(gap.reason)).append("): events may be missing\n");
  return line;
}

}  // namespace

std::string update_json(const Update& update) {
  std::string out = "{";
  if (update.kind == UpdateKind::gap) {
    out.append("\"gap\":{");
    append_member(out, "partition", update.partition);
    append_member(out, "from", update.offset);
    append_member(out, "to", update.gap_end);
    append_member(out, "reason", name(update.reason));
    return out.append("},\"recovered\":false}\n");
  }
  append_member(out, "id", update.id);
  append_member(out, "type", update.type);
  append_member(out, "source_type", update.source_type);
  append_member(out, "source_id", update.source_id);
  if (update.offset >= 0) {
    append_member(out, "partition", update.partition);
    append_member(out, "offset", update.offset);
  }
  append_member(out, "origin", name(update.origin));
  if (update.late) out.append(",\"late\":true");
  if (update.timestamp_ms >= 0) append_member(out, "timestamp_ms", update.timestamp_ms);
  if (update.has_payload) append_member(out, "payload", update.payload);
  return out.append("}\n");
}

std::string update_line(const Update& update, bool colored) {
  if (update.kind == UpdateKind::gap) return gap_line(update, colored);
  std::string line;
  if (update.timestamp_ms >= 0) append(line, colored, kDim, time_text(update.timestamp_ms));
  append(line, colored, kBold, printable(update.source_type + ":" + update.source_id));
  line += ' ';
  append(line, colored, kGreen, printable(update.type.empty() ? "?" : update.type));
  line += ' ';
  line.append(printable(update.id.empty() ? "?" : update.id));
  line += ' ';
  append(line, colored, kDim, place_text(update));
  if (update.origin == Origin::history) append(line, colored, kYellow, " (history)");
  if (update.late) append(line, colored, kYellow, " (late)");
  if (update.has_payload) {
    line += ' ';
    line.append(printable(std::string_view{update.payload}.substr(0, kPayloadShown)));
    if (update.payload.size() > kPayloadShown) line.append("...");
  }
  line += '\n';
  return line;
}

}  // namespace dualstream::command
