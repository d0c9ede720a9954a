#include "commands.h"

#include <array>

namespace dualstream::command {

std::span<const Command> commands() noexcept {
  static const std::array kCommands{kIngest, kTail,   kFetch,      kReplay,
                                    kLoad,   kDoctor, kCompletion, kMan};
  return kCommands;
}

}  // namespace dualstream::command
