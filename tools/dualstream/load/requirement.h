// Requirement is a condition that a run has to meet: --require 'ack.p99<20ms'.
//
//   CONDITION = METRIC OPERATOR VALUE      OPERATOR = < <= > >= == !=
//
// A duration has its unit (ns, us, ms or s), a number of bytes may have one (KiB, MB, ...), a count
// or a rate may end in k or M, for thousands and millions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dualstream/status.h"
#include "metrics.h"

namespace dualstream::command {

enum class Comparison : std::uint8_t { less, at_most, more, at_least, equal, different };

struct Requirement {
  std::size_t metric = 0;  // Its place in metric_infos().
  Comparison comparison = Comparison::equal;
  double limit = 0;
  std::string text;
};

// An unknown metric is an error that names the nearest one.
[[nodiscard]] Status parse_requirement(const std::string& text, Requirement& requirement);

// What is measured; a requirement of something that is not could never be met.
struct Measured {
  bool redis = false;
  bool subscribe = false;
  bool verify = false;
};

// All of them; an error also if one asks for what is not measured.
[[nodiscard]] Status parse_requirements(const std::vector<std::string>& texts,
                                        const Measured& measured,
                                        std::vector<Requirement>& requirements);

// A value that is not there meets nothing.
[[nodiscard]] bool is_met(const Requirement& requirement, std::optional<double> value);

// "ack.p99<20ms: it is 31.20 ms".
[[nodiscard]] std::string result_text(const Requirement& requirement, std::optional<double> value);

}  // namespace dualstream::command
