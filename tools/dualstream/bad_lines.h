// BadLines reports, counts and keeps the lines that are no events, and stops the run at too many.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "limited_report.h"
#include "line_place.h"
#include "line_reader.h"
#include "output_file.h"
#include "stop_request.h"

namespace dualstream::command {

struct BadLinesOptions {
  std::optional<std::uint64_t> bad_max;  // Nothing: no limit.
  OutputFile* file = nullptr;            // Takes them byte for byte, or nothing does.
};

// Thread:   any.
// Lifetime: what it is given outlives it.
class BadLines {
 public:
  BadLines(const std::vector<std::string>& inputs, const BadLinesOptions& options, Console& console,
           StopRequest& stop)
      : inputs_(inputs), options_(options), stop_(stop), report_(console, "bad lines") {}

  // A whole bad line; `reason` is a phrase.
  void add(LinePlace place, std::string_view reason, std::string_view raw);

  // A line over the limit comes in pieces: `keeper` is empty at the first, and stays with the
  // caller until the last.
  void add_piece(LinePlace place, std::string_view reason, const Line& piece,
                 std::optional<OutputFile::Hold>& keeper);

  [[nodiscard]] std::uint64_t count() const noexcept {
    return count_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] ReasonCounts by_reason() const { return report_.by_reason(); }
  void summarize() { report_.summarize(); }

 private:
  void report(LinePlace place, std::string_view reason);

  const std::vector<std::string>& inputs_;
  const BadLinesOptions options_;
  StopRequest& stop_;
  LimitedReport report_;
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace dualstream::command
