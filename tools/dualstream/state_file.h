// StateFile is a small file that is always whole: each write replaces it as one, and survives a
// crash of the machine.
//
//   FILE        the last text that was written
//   FILE.tmp    the next one, while it is written
//   FILE.lock   locked as long as a process uses the file; it stays, empty
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dualstream/status.h"

namespace dualstream::command {

// Thread: one at a time.
class StateFile {
 public:
  // Locks it. `invalid_options` when another process has it, `exhausted` when the system refuses.
  [[nodiscard]] static Status open(const std::string& name, std::unique_ptr<StateFile>& file);
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;
  ~StateFile();

  // Nothing when there is no such file yet.
  [[nodiscard]] Status read(std::optional<std::string>& text) const;

  // Afterwards the file holds `text`; if it fails, what it held before.
  [[nodiscard]] Status write(std::string_view text);

 private:
  StateFile(std::string name, int folder, int lock) noexcept
      : name_(std::move(name)), folder_(folder), lock_(lock) {}

  const std::string name_;
  const int folder_;  // Synced after a rename.
  const int lock_;
};

}  // namespace dualstream::command
