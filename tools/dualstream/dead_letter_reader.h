// DeadLetterReader reads what append_dead_letter() wrote: the event, whole, to be published again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dualstream/event_view.h"

namespace dualstream::command {

// Thread: one at a time.
class DeadLetterReader {
 public:
  DeadLetterReader();
  DeadLetterReader(const DeadLetterReader&) = delete;
  DeadLetterReader& operator=(const DeadLetterReader&) = delete;
  ~DeadLetterReader();

  // Sets `event`, whose views hold until the next call, or returns what is wrong with the line, a
  // phrase: "not a dead letter: payload is missing".
  [[nodiscard]] std::optional<std::string> read(std::string_view line, EventView& event);

  // The longest line that an event of so many bytes is written as.
  [[nodiscard]] static std::size_t line_bytes_max(std::size_t event_bytes_max) noexcept;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace dualstream::command
