// dead_letter() writes a failed event as a line of JSON, whole, so that nothing is lost with it.
//
//   {"id":"2489651045","type":"PushEvent","source_type":"repo","source_id":"owner/repo",
//    "reason":"timed_out","persisted":"maybe","detail":"Local: Message timed out",
//    "input":"events.ndjson","line":17,"payload":"{\"id\":…}"}
//
// all in one line. The payload is the event's own line as a JSON string; a field or a payload that
// is not UTF-8 is written as base64 under another name, `payload_base64`. DeadLetterReader reads
// it.
#pragma once

#include <string>
#include <string_view>

#include "dualstream/outcome.h"

namespace dualstream::command {

// Appends the line with its newline. `input` and `line` are where the event was read.
void append_dead_letter(std::string& out, const Outcome& outcome, std::string_view input,
                        std::uint64_t line);

}  // namespace dualstream::command
