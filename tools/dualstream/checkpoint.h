// Checkpoint remembers in a file how far each input is done with, so that a run that was killed
// goes on from there.
//
//   intake: enter(), begin() each line -> ... its outcome: settle() -> saver: the marks, to the
//   file
//
// A line is done with when its event is in Kafka or in the dead-letter file, or the line was bad or
// blank. What a run that was killed had done behind the saved marks is done again: at most
// `window_lines` lines, for begin() goes no further.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "checkpoint_state.h"
#include "dualstream/status.h"
#include "line_place.h"
#include "low_water.h"
#include "state_file.h"
#include "thread.h"

namespace dualstream::command {

struct CheckpointOptions {
  std::string file;
  // Of the run that it belongs to.
  std::string topic;
  // How many lines may lie behind the saved marks, of all inputs together. At least 2.
  std::uint64_t window_lines = 1;
  // How long marks that have moved may wait to be saved; half a window does not wait.
  std::chrono::milliseconds interval{1'000};
};

// Thread:   begin() and settle() on any; enter() on the input's own; the others on one.
// Lifetime: `inputs` outlive it.
class Checkpoint {
 public:
  // Locks and reads the file, or writes a first one, and looks whether each input is the one that
  // it speaks of. `invalid_options` when something does not fit, `exhausted` when the file cannot
  // be written; each message says what to do.
  [[nodiscard]] static Status open(const CheckpointOptions& options,
                                   const std::vector<std::string>& inputs,
                                   std::unique_ptr<Checkpoint>& checkpoint);
  Checkpoint(const Checkpoint&) = delete;
  Checkpoint& operator=(const Checkpoint&) = delete;
  // Saves nothing more; finish() does.
  ~Checkpoint();

  // Where reading begins. The file at `fd` is looked at once more: it was opened anew.
  [[nodiscard]] Status enter(std::size_t input, int fd, InputMark& start);

  // Where it begins as the file had it at open().
  [[nodiscard]] const InputMark& start(std::size_t input) const;

  // The input's next line is being worked on; `raw` is the line or its end, `end` where the line
  // after it begins. Waits for `timeout` while the window is full; false if it still is.
  [[nodiscard]] bool begin(std::size_t input, std::string_view raw, bool ended, std::uint64_t end,
                           std::chrono::milliseconds timeout);

  // These lines are done with.
  void settle(std::span<const LinePlace> places);

  // Saves from now on, on a thread of its own. `make_safe` is called before each time: what the
  // settled lines left in other files has to be on the disk when it returns true. `on_failure` is
  // called once, with a sentence, and nothing is saved after that.
  [[nodiscard]] Status start_saving(std::function<bool()> make_safe,
                                    std::function<void(const std::string&)> on_failure);

  // Ends the saving with a last save. False if that or one before it failed.
  bool finish();

  // Lines that a next run would read again, though they were begun.
  [[nodiscard]] std::uint64_t behind() const;

 private:
  struct Input {
    std::string path{};
    InputMark start{};
    LowWater low_water{};
    Fingerprint fingerprint{};
    std::uint64_t saved_line = 1;
  };

  Checkpoint(const CheckpointOptions& options, std::unique_ptr<StateFile> file);

  using Known = std::map<std::string, CheckpointEntry>;  // By path.
  Status add_input(const std::string& name, const std::string& path, const Known& known);
  void run();
  Status read(const std::vector<std::string>& inputs);
  bool save();
  [[nodiscard]] bool save_is_due() const;

  const CheckpointOptions options_;
  const std::unique_ptr<StateFile> file_;
  std::function<bool()> make_safe_;
  std::function<void(const std::string&)> on_failure_;
  // Of inputs that this run does not read: kept as they are.
  std::vector<CheckpointEntry> others_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable due_;
  std::vector<Input> inputs_;
  std::uint64_t behind_saved_ = 0;  // Lines begun behind the saved marks.
  std::uint64_t passed_ = 0;        // Lines that marks have passed since the last save.
  bool failed_ = false;
  bool end_ = false;

  Thread saver_;
};

}  // namespace dualstream::command
