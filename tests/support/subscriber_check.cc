#include "support/subscriber_check.h"

#include <algorithm>

namespace dualstream::testing {

UpdatesCheck::UpdatesCheck(Subscription& subscription)
    : subscription_(subscription), thread_{[this] {
        std::vector<Update> some;
        while (!stop_) {
          subscription_.receive(some, std::chrono::milliseconds{50});
          {
            const std::lock_guard lock{mutex_};
            for (Update& update : some) {
              gaps_ += update.kind == UpdateKind::gap ? 1 : 0;
              updates_.push_back(std::move(update));
            }
          }
          if (const std::int64_t pause = pause_ms_; pause > 0) {
            // tidy: allow(sleep) a slow reader is what is tested
            std::this_thread::sleep_for(std::chrono::milliseconds{pause});
          }
        }
      }} {}

UpdatesCheck::~UpdatesCheck() {
  stop_ = true;
  thread_.join();
}

std::size_t UpdatesCheck::received() const {
  const std::lock_guard lock{mutex_};
  return updates_.size() - gaps_;
}

std::size_t UpdatesCheck::gaps() const {
  const std::lock_guard lock{mutex_};
  return gaps_;
}

std::vector<Update> UpdatesCheck::updates() const {
  const std::lock_guard lock{mutex_};
  return updates_;
}

UpdatesReport UpdatesCheck::check(const std::vector<Record>& records,
                                  const std::map<std::int32_t, std::int64_t>& first,
                                  const std::string& prefix, const VerifyingEvents& events,
                                  bool with_payload) const {
  UpdatesReport report;
  std::set<std::pair<std::int32_t, std::int64_t>> seen;
  std::map<std::string, std::int64_t> newest;
  std::map<std::int32_t, std::vector<std::pair<std::int64_t, std::int64_t>>> gaps;
  const auto note = [&report](std::size_t& count, const std::string& what) {
    count += 1;
    if (report.text.empty()) report.text = what;
  };
  for (const Update& update : updates()) {
    const std::string where = update.source_id + " at " + std::to_string(update.partition) + ":" +
                              std::to_string(update.offset);
    if (update.kind == UpdateKind::gap) {
      report.gaps += 1;
      gaps[update.partition].emplace_back(update.offset, update.gap_end);
      continue;
    }
    report.received += 1;
    report.live += update.origin == Origin::live ? 1 : 0;
    if (!seen.insert({update.partition, update.offset}).second) {
      note(report.repeated, "again: " + where);
    }
    const auto [place, fresh] = newest.try_emplace(update.source_id, update.offset);
    if (!fresh && update.offset < place->second) note(report.out_of_order, "late: " + where);
    place->second = std::max(place->second, update.offset);
    const bool is_payload = update.has_payload && events.recognise(update.payload).has_value() &&
                            events.recognise(update.payload)->id == update.id;
    if (with_payload && !is_payload) note(report.corrupt, "payload: " + where);
  }
  for (const Record& record : records) {
    const auto from = first.find(record.partition);
    const bool wanted = record.key.value_or("").starts_with(prefix) &&
                        record.offset >= (from != first.end() ? from->second : 0);
    if (!wanted || seen.contains({record.partition, record.offset})) continue;
    const bool told = std::ranges::any_of(gaps[record.partition], [&record](const auto& gap) {
      return gap.first <= record.offset && record.offset < gap.second;
    });
    if (!told) {
      note(report.missing, "missing: " + record.key.value_or("") + " at " +
                               std::to_string(record.partition) + ":" +
                               std::to_string(record.offset));
    }
  }
  return report;
}

}  // namespace dualstream::testing
