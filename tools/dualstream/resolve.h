// resolve() settles every option: defaults, then the config file, then the environment, then the
// flags; the later wins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dualstream/status.h"
#include "settings.h"

namespace dualstream::command {

// The values of one flag, as the command line has them. `option` is its place in options().
struct GivenFlag {
  std::size_t option = 0;
  std::vector<std::string> values;
};

enum class Source : std::uint8_t { standard, file, variable, flag };

// Where a value comes from: "FILE:3", "DUALSTREAM_BROKERS", "--brokers"; empty for a default.
struct Origin {
  Source source = Source::standard;
  std::string place;
};

struct Configuration {
  Settings settings;
  // One for each of options(), in its order.
  std::vector<Origin> origins;
};

// `environment` is NAME=VALUE texts; an empty value counts as none. An error names the flag, the
// variable or FILE:LINE, the value and the rule; for an unknown name, the nearest known one.
[[nodiscard]] Status resolve(const std::vector<GivenFlag>& flags,
                             const std::vector<std::string>& environment,
                             Configuration& configuration);

// Adds where the option was set to an error of the engine, which names its field.
[[nodiscard]] std::string with_origin(const std::string& message,
                                      const Configuration& configuration);

}  // namespace dualstream::command
