#include "support/notifications_check.h"

#include <algorithm>
#include <compare>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

namespace dualstream::testing {
namespace {

using nlohmann::json;

struct Place {
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes <=>'s zero for a pointer.
  auto operator<=>(const Place&) const = default;
};

struct Told {
  std::string id;
  Place place;
};

// Oldest first. Throws what nlohmann does when the message is not what docs say.
std::vector<Told> told_by(const json& frame) {
  std::vector<Told> told;
  const auto partition = frame.at("partition").get<std::int32_t>();
  for (const json& earlier : frame.value("earlier", json::array())) {
    told.push_back({.id = earlier.at("id"),
                    .place = {.partition = earlier.value("partition", partition),
                              .offset = earlier.at("offset")}});
  }
  told.push_back(
      {.id = frame.at("id"), .place = {.partition = partition, .offset = frame.at("offset")}});
  return told;
}

}  // namespace

NotificationsReport check_notifications(const std::vector<RedisMessage>& messages,
                                        const std::vector<Record>& records) {
  std::map<Place, const Record*> by_place;
  std::map<std::string, std::set<Place>> by_source;
  for (const Record& record : records) {
    by_place[{record.partition, record.offset}] = &record;
    by_source[record.key.value_or("")].insert({record.partition, record.offset});
  }
  std::set<Place> seen;
  std::map<std::string, Place> newest;
  std::map<std::string, std::uint64_t> missed;
  NotificationsReport report;
  const auto note = [&report](std::size_t& count, const RedisMessage& message) {
    count += 1;
    if (report.text.empty()) report.text = message.channel + ": " + message.text;
  };
  for (const RedisMessage& message : messages) {
    try {
      const json frame = json::parse(message.text);
      const auto missed_here = frame.value("missed", std::uint64_t{0});
      missed[message.channel] = std::max(missed[message.channel], missed_here);
      const std::vector<Told> told_here = told_by(frame);
      for (const Told& told : told_here) {
        report.received += 1;
        if (!seen.insert(told.place).second) note(report.repeated, message);
        const auto found = by_place.find(told.place);
        const bool there = found != by_place.end() && found->second->value &&
                           found->second->value->starts_with("{\"id\":\"" + told.id + "\"");
        if (!there) note(report.wrong, message);
      }
      const auto before = newest.find(message.channel);
      if (before != newest.end()) {
        const Place& held = before->second;
        if (told_here.front().place < held) note(report.out_of_order, message);
        const std::set<Place>& all = by_source[frame.at("source_id")];
        const auto next = all.upper_bound(held);
        const bool gap = next != all.end() && *next < told_here.front().place;
        const bool told_of_gap =
            missed_here > 0 || !frame.contains("prev") || frame.at("prev") > held.offset;
        if (gap && !told_of_gap) note(report.untold, message);
      }
      if (!std::ranges::is_sorted(told_here, {}, &Told::place)) note(report.out_of_order, message);
      newest.insert_or_assign(message.channel, told_here.back().place);
    } catch (const json::exception&) {
      note(report.wrong, message);
    }
  }
  for (const auto& [channel, count] : missed) report.missed += count;
  return report;
}

std::size_t notifications_in(const std::vector<RedisMessage>& messages) {
  std::size_t count = 0;
  for (const RedisMessage& message : messages) {
    count += 1 + json::parse(message.text).value("earlier", json::array()).size();
  }
  return count;
}

}  // namespace dualstream::testing
