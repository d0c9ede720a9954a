#include "dualstream/history.h"

#include <utility>

#include "kafka/librdkafka_reader.h"
#include "subscriber/await_topic.h"
#include "subscriber/record_decoder.h"

namespace dualstream {

using std::chrono::milliseconds;

class HistoryImpl {
 public:
  HistoryImpl(std::unique_ptr<kafka::KafkaReader> opened, const JsonOptions& json)
      : reader(std::move(opened)), decoder(json) {}

  const std::unique_ptr<kafka::KafkaReader> reader;
  subscriber::RecordDecoder decoder;
};

History::History(std::unique_ptr<HistoryImpl> impl) noexcept : impl_(std::move(impl)) {}
History::~History() = default;

Status History::open(const KafkaOptions& kafka, const JsonOptions& json,
                     std::unique_ptr<History>& history) {
  Options both;
  both.kafka = kafka;
  both.json = json;
  if (Status status = validate(both); !status.ok()) return status;
  std::unique_ptr<kafka::KafkaReader> reader;
  if (Status status = kafka::make_librdkafka_reader(kafka, reader); !status.ok()) return status;
  if (Status status = subscriber::await_topic(*reader, kafka); !status.ok()) return status;
  auto impl = std::make_unique<HistoryImpl>(std::move(reader), json);
  history.reset(new History{std::move(impl)});  // tidy: allow(naked_new) private constructor
  return {};
}

Status History::partitions(milliseconds timeout, std::int32_t& count) {
  return impl_->reader->partitions(timeout, count);
}

Status History::bounds(std::int32_t partition, milliseconds timeout, HistoryBounds& bounds) {
  kafka::PartitionBounds found;
  Status status = impl_->reader->bounds(partition, timeout, found);
  bounds = {.begin = found.begin, .end = found.end};
  return status;
}

Status History::offset_at(std::int32_t partition, std::chrono::system_clock::time_point time,
                          milliseconds timeout, std::int64_t& offset) {
  const auto ms = std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
  return impl_->reader->offset_at(partition, ms, timeout, offset);
}

Status History::read(const HistoryRange& range, milliseconds timeout, HistoryPart& part) {
  kafka::ReadAnswer answer;
  Status status = impl_->reader->read(
      {.partition = range.partition, .from = range.from, .to = range.to}, timeout, answer);
  part = {.updates = {}, .next = answer.next, .begin = answer.begin};
  for (const kafka::Record& record : answer.records) {
    part.updates.push_back(impl_->decoder.decode(range.partition, record, true));
  }
  return status;
}

}  // namespace dualstream
