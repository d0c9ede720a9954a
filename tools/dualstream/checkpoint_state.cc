#include "checkpoint_state.h"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include <simdjson.h>

#include "text.h"

namespace dualstream::command {
namespace {

constexpr std::string_view kBeginning = R"({"dualstream_checkpoint":)";
constexpr std::string_view kChecksum = R"(,"checksum":")";
constexpr std::uint64_t kVersion = 1;

std::string hex(std::uint64_t number) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016" PRIx64, number);
  return text.data();
}

void append_fingerprint(std::string& out, std::string_view name, const Fingerprint& print) {
  out += concat({",\"", name, R"(":{"begin":)", std::to_string(print.begin), R"(,"size":)",
                 std::to_string(print.size), R"(,"hash":")", hex(print.hash), "\"}"});
}

// simdjson's get() throws simdjson_error for a member that is missing or of another kind.
Fingerprint read_fingerprint(const simdjson::dom::element& json) {
  const std::string hash{std::string_view{json["hash"]}};
  return {.begin = json["begin"],
          .size = json["size"],
          .hash = std::strtoull(hash.c_str(), nullptr, 16)};
}

CheckpointEntry read_entry(const simdjson::dom::element& json) {
  return {.path = std::string{std::string_view{json["path"]}},
          .mark = {.next = {.line = json["line"], .offset = json["offset"]},
                   .before = read_fingerprint(json["before"])},
          .start = read_fingerprint(json["start"])};
}

}  // namespace

std::string checkpoint_text(const CheckpointState& state) {
  std::string out = concat({kBeginning, std::to_string(kVersion), ",\"topic\":"});
  append_json_string(out, state.topic);
  out += ",\"inputs\":[";
  for (const CheckpointEntry& entry : state.inputs) {
    if (out.back() != '[') out += ',';
    out += "{\"path\":";
    append_json_string(out, entry.path);
    out += concat({",\"line\":", std::to_string(entry.mark.next.line),
                   ",\"offset\":", std::to_string(entry.mark.next.offset)});
    append_fingerprint(out, "start", entry.start);
    append_fingerprint(out, "before", entry.mark.before);
    out += '}';
  }
  out += ']';
  const std::string checksum = hex(hash_of(out));
  return out + concat({kChecksum, checksum, "\"}\n"});
}

std::optional<std::string> parse_checkpoint(std::string_view text, CheckpointState& state) {
  if (!text.starts_with(kBeginning)) return "it was not written by --checkpoint";
  const std::size_t end = text.rfind(kChecksum);
  if (end == std::string_view::npos) return "its end is missing";
  if (text.substr(end) != concat({kChecksum, hex(hash_of(text.substr(0, end))), "\"}\n"})) {
    return "its checksum is wrong";
  }
  try {
    simdjson::dom::parser parser;
    const simdjson::dom::element json = parser.parse(text.data(), text.size());
    const std::uint64_t version = json["dualstream_checkpoint"];
    if (version != kVersion) {
      return concat({"it has version ", std::to_string(version), ", and this program knows ",
                     std::to_string(kVersion)});
    }
    CheckpointState read{.topic = std::string{std::string_view{json["topic"]}}, .inputs = {}};
    for (const simdjson::dom::element entry : simdjson::dom::array{json["inputs"]}) {
      read.inputs.push_back(read_entry(entry));
    }
    state = std::move(read);
  } catch (const simdjson::simdjson_error& error) {
    return std::string{error.what()};
  }
  return std::nullopt;
}

}  // namespace dualstream::command
