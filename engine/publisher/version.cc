// The versions of what the engine is linked with.
#include "dualstream/version.h"

#include "event/event_parser.h"
#include "kafka/librdkafka_producer.h"
#include "redis/hiredis_connection.h"

namespace dualstream {

std::vector<std::pair<std::string, std::string>> library_versions() {
  return {{"librdkafka", kafka::librdkafka_version()},
          {"hiredis", redis::hiredis_version()},
          {"simdjson", event::simdjson_version()}};
}

}  // namespace dualstream
