// An update as text: a line of JSON for programs, or a line for people.
#pragma once

#include <string>

#include "dualstream/subscriber.h"

namespace dualstream::command {

// One object and a newline:
//
//   {"id":"9001","type":"PushEvent","source_type":"repo","source_id":"owner/repo","partition":3,
//    "offset":1201,"origin":"live","timestamp_ms":1700000000000,"payload":"{...}"}
//   {"gap":{"partition":3,"from":100,"to":120,"reason":"retention"},"recovered":false}
//
// `late` stands only where it is true, `timestamp_ms` and `payload` where they are known.
[[nodiscard]] std::string update_json(const Update& update);

// One line; control bytes are escaped. The source comes first, as it is what one looks for.
[[nodiscard]] std::string update_line(const Update& update, bool colored);

}  // namespace dualstream::command
