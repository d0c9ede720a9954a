// CheckpointState is what a checkpoint file holds, one line of JSON:
//
//   {"dualstream_checkpoint":1,"topic":"events","inputs":[
//    {"path":"/var/log/events.ndjson","line":4183,"offset":8751204,
//     "start":{"begin":0,"size":4096,"hash":"6c62272e07bb0142"},
//     "before":{"begin":8751139,"size":64,"hash":"00000100000001b3"}}],
//    "checksum":"9ae16a3b2f90404f"}
//
// `line` and `offset` are the first that is not done with; `start` and `before` are bytes by which
// the file is known again; `checksum` is FNV-1a of everything before `,"checksum"`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "low_water.h"

namespace dualstream::command {

struct CheckpointEntry {
  std::string path;  // Absolute, without links; printable.
  InputMark mark;
  Fingerprint start;

  bool operator==(const CheckpointEntry&) const = default;
};

struct CheckpointState {
  std::string topic;
  std::vector<CheckpointEntry> inputs;

  bool operator==(const CheckpointState&) const = default;
};

[[nodiscard]] std::string checkpoint_text(const CheckpointState& state);

// Sets `state`, or returns what is wrong: a phrase such as "its checksum is wrong".
[[nodiscard]] std::optional<std::string> parse_checkpoint(std::string_view text,
                                                          CheckpointState& state);

}  // namespace dualstream::command
