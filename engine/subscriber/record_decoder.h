// RecordDecoder makes an update of a record: the source's id is its key, the rest stands in its
// payload where json says.
#pragma once

#include <string>

#include "dualstream/subscriber.h"
#include "event/event_parser.h"
#include "kafka/kafka_reader.h"

namespace dualstream::subscriber {

// Thread: one at a time.
class RecordDecoder {
 public:
  explicit RecordDecoder(const JsonOptions& json) : json_(json), parser_(json) {}

  // Without id and type when the payload cannot be read; without source_type when only the payload
  // could tell. The payload itself is copied only `with_payload`.
  [[nodiscard]] Update decode(std::int32_t partition, const kafka::Record& record,
                              bool with_payload) {
    Update update;
    update.origin = Origin::history;
    update.partition = partition;
    update.offset = record.offset;
    update.timestamp_ms = record.timestamp_ms;
    update.source_id = record.key;
    EventView event;
    std::string reason;
    if (parser_.parse(record.value, event, reason) == event::EventParser::Result::ok) {
      update.id = event.id;
      update.type = event.type;
      update.source_type = event.source_type;
    } else if (!json_.source_type.starts_with('/')) {
      update.source_type = json_.source_type;
    }
    if (with_payload) {
      update.payload = record.value;
      update.has_payload = true;
    }
    return update;
  }

 private:
  const JsonOptions json_;
  event::EventParser parser_;
};

}  // namespace dualstream::subscriber
