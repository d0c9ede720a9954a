#include "bad_lines.h"

namespace dualstream::command {

void BadLines::add(LinePlace place, std::string_view reason, std::string_view raw) {
  report(place, reason);
  if (options_.file != nullptr) options_.file->write(std::string{raw} + '\n');
}

void BadLines::add_piece(LinePlace place, std::string_view reason, const Line& piece,
                         std::optional<OutputFile::Hold>& keeper) {
  if (options_.file != nullptr) {
    if (!keeper) keeper.emplace(*options_.file);
    keeper->write(piece.raw);
    if (piece.last) keeper->write("\n");
  }
  if (!piece.last) return;
  keeper.reset();
  report(place, reason);
}

void BadLines::report(LinePlace place, std::string_view reason) {
  report_.add(place_text(inputs_, place).append(": ").append(reason), reason);
  const std::uint64_t count = count_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (options_.bad_max && count > *options_.bad_max) stop_.request(StopReason::too_many_bad);
}

}  // namespace dualstream::command
