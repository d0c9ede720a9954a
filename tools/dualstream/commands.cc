#include "commands.h"

#include <array>

namespace dualstream::command {

std::span<const Command> commands() noexcept {
  static const std::array kCommands{kIngest, kLoad, kDoctor, kCompletion, kMan};
  return kCommands;
}

}  // namespace dualstream::command
