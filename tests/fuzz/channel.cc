// A channel template, and a source to fill it with: encoding is inverted by decoding, and no source
// puts into a channel's name what Redis' patterns or a reader could take for something else.
//
// The input: a template, a newline, a source_type, a newline, a source_id.
#include "redis/channel.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.h"

using namespace dualstream::redis;  // NOLINT(google-build-using-namespace)
using dualstream::fuzz::require;

namespace {

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

bool safe(std::string_view name) {
  for (const char c : name) {
    if (std::string_view{"*?[]\\ "}.find(c) != std::string_view::npos) return false;
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::string_view template_text = take_line(text);
  const std::string_view source_type = take_line(text);
  const std::string_view source_id = text;

  for (const std::string& encoded :
       {encode_source_type(source_type), encode_source_id(source_type)}) {
    require(decode(encoded) == source_type, "decoding inverts encoding");
    require(safe(encoded), "an encoded value holds nothing that means something else");
  }
  require(encode_source_type(source_type).find(':') == std::string::npos,
          "a source_type cannot hold a colon");
  require(decode(encode_source_id(source_id)) == source_id, "decoding inverts encoding");
  if (const auto decoded = decode(template_text)) {
    require(decode(encode_source_id(*decoded)) == decoded, "and so for what was decoded");
  }

  ChannelTemplate made;
  const auto status = ChannelTemplate::parse(template_text, 64, made);
  require(status.ok() || !status.message.empty(), "a refusal has a reason");
  if (!status.ok()) return 0;
  const std::string name = made.expand(source_type, source_id);
  require(name == made.expand(source_type, source_id), "a source has one channel");
  ChannelTemplate full;
  require(ChannelTemplate::parse("e:{source_type}:{source_id}", 64, full).ok(), "it is a template");
  require(full.expand(source_type, source_id) ==
              "e:" + encode_source_type(source_type) + ":" + encode_source_id(source_id),
          "values stand in the name in their encoded form");
  return 0;
}
