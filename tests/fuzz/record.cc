// A record of a topic that others may write to as well: whatever it holds, it becomes an update
// with its place, its key and its bytes.
//
// The input: the key, up to the first newline, then the value.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.h"
#include "subscriber/record_decoder.h"

using dualstream::Origin;
using dualstream::Update;
using dualstream::fuzz::require;
using dualstream::subscriber::RecordDecoder;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static RecordDecoder of_one_type{{.line_bytes_max = 4096, .depth_max = 16}};
  static RecordDecoder of_any_type{
      {.source_type = "/kind", .line_bytes_max = 4096, .depth_max = 16}};
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::size_t newline = text.find('\n');
  dualstream::kafka::Record record{.offset = 7, .timestamp_ms = 5};
  record.key = text.substr(0, newline);
  if (newline != std::string_view::npos) record.value = text.substr(newline + 1);
  for (RecordDecoder* decoder : {&of_one_type, &of_any_type}) {
    const Update whole = decoder->decode(3, record, true);
    require(whole.partition == 3 && whole.offset == 7 && whole.timestamp_ms == 5,
            "it has its place");
    require(whole.origin == Origin::history && whole.source_id == record.key, "and its key");
    require(whole.has_payload && whole.payload == record.value, "and its bytes");
    require(decoder == &of_any_type || whole.source_type == "repo", "a constant is a constant");
    const Update light = decoder->decode(3, record, false);
    require(!light.has_payload && light.payload.empty(), "or none of them");
    require(
        light.id == whole.id && light.type == whole.type && light.source_type == whole.source_type,
        "and is the same otherwise");
  }
  return 0;
}
