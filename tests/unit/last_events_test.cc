#include "subscriber/last_events.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::subscriber {
namespace {

Update event_of(const std::string& source, std::int64_t offset) {
  Update update;
  update.source_type = "repo";
  update.source_id = source;
  update.offset = offset;
  return update;
}

TEST(LastEventsTest, ReadsBackwardsInWindowsThatGrow) {
  LastEvents last{{.count = 1}, {.from = 0, .to = 100'000}, {source_key("repo", "a")}};
  EXPECT_EQ(last.wanted(), (OffsetRange{.from = 98'000, .to = 100'000}));
  last.take({.from = 98'000, .to = 100'000}, {});
  EXPECT_EQ(last.wanted(), (OffsetRange{.from = 92'000, .to = 98'000}));
  last.take({.from = 92'000, .to = 93'000}, {});
  EXPECT_EQ(last.wanted(), (OffsetRange{.from = 93'000, .to = 98'000}));
  last.take({.from = 93'000, .to = 98'000}, {event_of("a", 93'001), event_of("a", 93'002)});
  EXPECT_EQ(last.wanted(), std::nullopt);
  const std::vector<Update> found = last.take_found();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].offset, 93'002);
  EXPECT_EQ(last.given_up(), OffsetRange{});
}

TEST(LastEventsTest, SaysWhatItDidNotLookAt) {
  LastEvents last{
      {.count = 5, .offsets_max = 3'000}, {.from = 0, .to = 10'000}, {source_key("repo", "a")}};
  last.take({.from = 8'000, .to = 10'000}, {event_of("a", 9'000)});
  EXPECT_EQ(last.wanted(), (OffsetRange{.from = 7'000, .to = 8'000}));
  last.take({.from = 7'000, .to = 8'000}, {});
  EXPECT_EQ(last.wanted(), std::nullopt);
  EXPECT_EQ(last.given_up(), (OffsetRange{.from = 0, .to = 7'000}));
}

TEST(LastEventsTest, EndsWhereKafkaBegins) {
  LastEvents last{{.count = 5}, {.from = 0, .to = 10'000}, {source_key("repo", "a")}};
  last.take({.from = 8'000, .to = 10'000}, {event_of("a", 9'000)});
  last.begins_at(8'000);
  EXPECT_EQ(last.wanted(), std::nullopt);
  EXPECT_EQ(last.take_found().size(), 1U);
}

TEST(LastEventsTest, FindsWhatALookAtTheWholePartitionFinds) {
  std::mt19937_64 random{3};
  for (int round = 0; round < 200; ++round) {
    const std::int64_t size = 1 + static_cast<std::int64_t>(random() % 20'000);
    std::vector<Update> log;
    for (std::int64_t offset = 0; offset < size; ++offset) {
      if (random() % 20 == 0)
        log.push_back(event_of(std::string{"s"}.append(std::to_string(random() % 4)), offset));
    }
    const std::size_t count = 1 + random() % 30;
    const bool others = random() % 2 == 0;
    LastEvents last{{.count = count, .wants_others = others},
                    {.from = 0, .to = size},
                    {source_key("repo", "s0"), source_key("repo", "s1")}};
    while (const auto range = last.wanted()) {
      const std::int64_t to =
          std::min(range->to, range->from + 1 + static_cast<std::int64_t>(random() % 3'000));
      std::vector<Update> records;
      for (const Update& update : log) {
        const bool named = update.source_id == "s0" || update.source_id == "s1";
        if (update.offset >= range->from && update.offset < to && (named || others)) {
          records.push_back(update);
        }
      }
      last.take({.from = range->from, .to = to}, std::move(records));
    }
    std::vector<std::int64_t> expected;
    std::map<std::string, std::size_t> counts;
    std::ranges::reverse(log);
    for (const Update& update : log) {
      const bool named = update.source_id == "s0" || update.source_id == "s1";
      if (!named && !others) continue;
      if (counts[named ? update.source_id : "others"]++ < count) {
        expected.push_back(update.offset);
      }
    }
    std::ranges::reverse(expected);
    std::vector<std::int64_t> found;
    for (const Update& update : last.take_found()) found.push_back(update.offset);
    ASSERT_EQ(found, expected);
    ASSERT_EQ(last.given_up(), OffsetRange{});
  }
}

}  // namespace
}  // namespace dualstream::subscriber
