// Target is where an option's value is kept; its type says how the value is read and shown.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "settings.h"

namespace dualstream::command {

// Two kinds of std::size_t, and a number that may be "unlimited".
struct Count {
  std::size_t* value;
};
struct Bytes {
  std::size_t* value;
};
struct Limit {
  std::optional<std::uint64_t>* value;
};

using Properties = std::vector<std::pair<std::string, std::string>>;

using Target =
    std::variant<std::string*, bool*, Count, Bytes, Limit, double*, std::chrono::milliseconds*,
                 std::vector<std::string>*, Properties*, NotifyAt*, ShowProgress*, LogLevel*>;

// Whether the option may be given several times; then all its values together replace those of
// lower precedence.
[[nodiscard]] bool repeatable(const Target& target);

// The values that it takes, where these are few words; a switch has none.
[[nodiscard]] std::vector<std::string> choices(const Target& target);

// Whether it needs no value on the command line.
[[nodiscard]] bool is_switch(const Target& target);

// Sets the target to `values`, one unless it is repeatable. Otherwise returns what is wrong, such
// as "`5x` is not a duration (250ms, 5s, 2m, 1h)".
[[nodiscard]] std::optional<std::string> set(const Target& target,
                                             const std::vector<std::string>& values);

// The values as set() reads them: none or several for a repeatable one, else one.
[[nodiscard]] std::vector<std::string> show(const Target& target);

}  // namespace dualstream::command
