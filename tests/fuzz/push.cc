// What Redis sends to a subscriber, in whatever pieces it arrives: the same is read as when it
// arrives at once, and nothing that was not sent.
//
// The input's first byte is how large the pieces are.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/require.h"
#include "redis/push_parser.h"

using namespace dualstream::redis;  // NOLINT(google-build-using-namespace)
using dualstream::fuzz::require;

namespace {

struct Outcome {
  std::vector<std::string> texts;
  PushParser::Result last = PushParser::Result::more;
};

Outcome parse(std::string_view bytes, std::size_t piece) {
  PushParser parser;
  Outcome outcome;
  for (std::size_t at = 0; at < bytes.size() && outcome.last == PushParser::Result::more;
       at += piece) {
    parser.buffer().append(bytes.substr(at, piece));
    Push push;
    while ((outcome.last = parser.next(push)) == PushParser::Result::push) {
      require(push.count >= 1 && push.count <= Push::kPartsMax, "a push has one to four parts");
      std::string text{push.kind == Push::Kind::array ? 'a' : 'l'};
      for (std::size_t i = 0; i < push.count; ++i) {
        require(bytes.find(push.parts[i]) != std::string_view::npos, "a part was sent");
        text.append(std::to_string(push.parts[i].size())).append(":").append(push.parts[i]);
      }
      outcome.texts.push_back(std::move(text));
    }
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  const Outcome whole = parse(bytes, std::max<std::size_t>(1, bytes.size()));
  const Outcome pieces = parse(bytes, 1 + data[0] % 64);
  require(whole.texts == pieces.texts, "the same is read whatever the pieces are");
  require(whole.last == pieces.last, "and it ends the same");
  return 0;
}
