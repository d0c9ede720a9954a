// LimitedReport tells of the first things of a kind one by one, and of the others by number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "console.h"

namespace dualstream::command {

using ReasonCounts = std::vector<std::pair<std::string, std::uint64_t>>;

// Thread:   any.
// Lifetime: the console outlives it.
class LimitedReport {
 public:
  // `plural` is what they are called: "bad lines".
  LimitedReport(Console& console, std::string plural)
      : console_(console), plural_(std::move(plural)) {}

  // `text` is printed if it is among the first; `reason` is counted.
  void add(std::string_view text, std::string_view reason);

  [[nodiscard]] std::uint64_t count() const;

  // The reasons and how often each was given, the most frequent first. Beyond kReasonsMax different
  // ones the rest are "other".
  [[nodiscard]] ReasonCounts by_reason() const;

  // Prints the counts, if more was added than was printed.
  void summarize();

  static constexpr std::uint64_t kPrintedMax = 20;
  static constexpr std::size_t kReasonsMax = 32;

 private:
  Console& console_;
  const std::string plural_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::uint64_t count_ = 0;
  ReasonCounts reasons_;
};

// "/id is missing 12, not valid JSON 3".
[[nodiscard]] std::string reasons_text(const ReasonCounts& reasons);

}  // namespace dualstream::command
