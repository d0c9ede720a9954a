// The version of these headers (SemVer) and of the libraries that the engine is linked with.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "dualstream/export.h"

#define DUALSTREAM_VERSION "0.1.0"

namespace dualstream {

// Name and version of each linked library, as it says itself at run time where it can: librdkafka,
// hiredis, simdjson.
[[nodiscard]] DUALSTREAM_EXPORT std::vector<std::pair<std::string, std::string>> library_versions();

}  // namespace dualstream
