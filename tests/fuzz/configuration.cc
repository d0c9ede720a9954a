// A config file and the values in it: read or refused with a place and a reason, and what was read
// reads the same when it is written out again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config_file.h"
#include "fuzz/require.h"
#include "option_table.h"
#include "option_value.h"

using namespace dualstream::command;  // NOLINT(google-build-using-namespace)
using dualstream::fuzz::require;

namespace {

void set_and_show(const OptionInfo& option, const std::vector<std::string>& values) {
  Settings settings;
  const Target target = option.target(settings);
  if (!repeatable(target) && values.size() != 1) return;
  if (const auto wrong = set(target, values)) {
    require(!wrong->empty(), "a refusal has a reason");
    return;
  }
  const std::vector<std::string> shown = show(target);
  Settings again;
  require(!set(option.target(again), shown), "what is shown can be read");
  require(show(option.target(again)) == shown, "and is the same then");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  std::vector<ConfigEntry> entries;
  const auto status = parse_config(text, "fuzz.conf", entries);
  require(status.ok() || status.message.starts_with("fuzz.conf:"), "an error says where");
  if (!status.ok()) return 0;
  for (const ConfigEntry& entry : entries) {
    for (const std::string& value : entry.values) {
      if (value.find('\n') != std::string::npos) continue;
      std::vector<ConfigEntry> again;
      require(parse_config("x = " + config_quoted(value) + "\n", "again", again).ok(),
              "a value in quotes can be read");
      require(again.size() == 1 && again[0].values == std::vector<std::string>{value},
              "and is the same then");
    }
    if (const auto found = find_option(entry.key)) set_and_show(options()[*found], entry.values);
  }
  return 0;
}
