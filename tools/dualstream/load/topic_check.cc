#include "topic_check.h"

#include <optional>
#include <string>

#include "payloads.h"

namespace dualstream::command {

TopicCheck::TopicCheck(std::uint32_t run, std::size_t sources) : run_(run), sources_(sources) {}

void TopicCheck::take(std::int32_t partition, std::string_view key, std::string_view value) {
  ++findings_.records;
  if (!Payloads::claims(value, run_)) {
    ++findings_.foreign;
    return;
  }
  const std::optional<PayloadMark> mark = Payloads::recognise(value);
  if (!mark || mark->source >= sources_.size() ||
      key != std::string{kSourcePrefix} + std::to_string(mark->source)) {
    ++findings_.corrupt;
    return;
  }
  if (!seen_.set(mark->index)) {
    ++findings_.duplicated;
    return;
  }
  Source& source = sources_[mark->source];
  if (source.newest > std::int64_t{mark->index} ||
      (source.newest >= 0 && source.partition != partition)) {
    ++findings_.out_of_order;
    return;
  }
  source = {.partition = partition, .newest = std::int64_t{mark->index}};
}

TopicFindings TopicCheck::conclude(const Bitmap& acknowledged) const {
  TopicFindings findings = findings_;
  findings.lost = acknowledged.count_without(seen_);
  findings.unacknowledged = seen_.count_without(acknowledged);
  return findings;
}

}  // namespace dualstream::command
