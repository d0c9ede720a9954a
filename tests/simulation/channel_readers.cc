#include "simulation/channel_readers.h"

#include <algorithm>
#include <charconv>

namespace dualstream::simulation {
namespace {

std::int64_t number_or(simdjson::dom::element json, const char* name, std::int64_t otherwise) {
  std::int64_t value = otherwise;
  if (json[name].get(value) != simdjson::SUCCESS) return otherwise;
  return value;
}

}  // namespace

ChannelReaders::Item ChannelReaders::read_item(simdjson::dom::element json,
                                               std::int32_t partition_otherwise) {
  Item item;
  std::string_view id;
  truth_.require(json["id"].get(id) == simdjson::SUCCESS, "a notification has an id");
  const auto parsed = std::from_chars(id.data(), id.data() + id.size(), item.tag);
  truth_.require(parsed.ec == std::errc{} && item.tag < truth_.events.size(),
                 "a notification is of an event that was published");
  if (!truth_.broken.empty()) return {};
  item.partition = static_cast<std::int32_t>(number_or(json, "partition", partition_otherwise));
  item.offset = number_or(json, "offset", -1);
  item.prev = number_or(json, "prev", -1);
  std::string_view source_id;
  if (json["source_id"].get(source_id) == simdjson::SUCCESS) {
    truth_.require(source_id == truth_.sources[truth_.events[item.tag].source].id,
                   "a notification names the event's source", item.tag);
    item.says_prev = true;
  }
  return item;
}

ChannelReaders::Told ChannelReaders::receive(const std::string& channel,
                                             const std::string& message) {
  simdjson::dom::element json;
  truth_.require(parser_.parse(message).get(json) == simdjson::SUCCESS, "a message is JSON");
  if (!truth_.broken.empty()) return {};
  const Item newest = read_item(json, -1);
  const auto missed = static_cast<std::uint64_t>(number_or(json, "missed", 0));
  items_.clear();
  simdjson::dom::array earlier;
  if (json["earlier"].get(earlier) == simdjson::SUCCESS) {
    for (const simdjson::dom::element each : earlier) {
      items_.push_back(read_item(each, newest.partition));
    }
  }
  items_.push_back(newest);
  if (!truth_.broken.empty()) return {};

  // The newest event's `prev` speaks of the first event of its source and partition.
  items_.back().says_prev = false;
  const std::uint32_t source = truth_.events[newest.tag].source;
  const auto first = std::ranges::find_if(items_, [&](const Item& item) {
    return truth_.events[item.tag].source == source && item.partition == newest.partition;
  });
  first->says_prev = true;
  first->prev = newest.prev;

  Channel& reader = channels_[channel];
  for (const Item& item : items_) check_item(reader, channel, item, missed);
  received_ += items_.size();
  return {.events = items_.size(), .missed = missed};
}

void ChannelReaders::check_item(Channel& reader, const std::string& channel, const Item& item,
                                std::uint64_t missed) {
  const TrueEvent& event = truth_.events[item.tag];
  const TrueSource& source = truth_.sources[event.source];
  truth_.require(std::ranges::find(source.channels, channel) != source.channels.end(),
                 "a notification is on a channel of its source", item.tag);
  truth_.require(reader.seen.insert(item.tag).second, "a channel is told of an event once",
                 item.tag);
  if (!rules_.acknowledged_only) return;
  truth_.require(event.acknowledged, "only what Kafka acknowledged is notified", item.tag);
  truth_.require(item.partition == event.partition && item.offset == event.offset,
                 "a notification says where the event lies", item.tag);
  if (!truth_.broken.empty()) return;

  const auto [held, first] = reader.held.try_emplace({event.source, item.partition}, item.offset);
  if (item.says_prev && item.prev >= 0) {
    truth_.require(item.prev == event.offset_before,
                   "prev is the offset of the source's event before", item.tag);
  }
  if (item.says_prev && item.prev < 0 && prev_always_) {
    truth_.require(!event.follows, "prev is absent only where it is unknown", item.tag);
  }
  if (first) return;
  if (item.offset < held->second) {
    truth_.require(!rules_.in_order, "a channel is told in order", item.tag);
    return;
  }
  const bool gap = missed > 0 || (item.says_prev && (item.prev < 0 || held->second < item.prev));
  if (gap) {
    gaps_seen_ += 1;
  } else {
    truth_.require(event.offset_before == held->second, "no gap is silent", item.tag);
  }
  held->second = item.offset;
}

}  // namespace dualstream::simulation
