#include "event/event.h"

#include <string>

#include <gtest/gtest.h>

#include "event/event_list.h"
#include "support/events.h"

namespace dualstream::event {
namespace {

TEST(EventTest, CopiesEveryFieldOnceSoThatTheCallersBytesMayGo) {
  std::string id = "2489651045";
  std::string payload{"a\0b", 3};
  const EventView view{.id = id,
                       .type = "CreateEvent",
                       .source_type = "repo",
                       .source_id = "owner/repo",
                       .payload = payload,
                       .tag = 7};
  const EventPtr event = make_event(view);
  const std::size_t bytes = block_bytes(view);
  id.assign("xxxxxxxxxx");
  payload.assign("yyy");
  EXPECT_EQ(event->id(), "2489651045");
  EXPECT_EQ(event->type(), "CreateEvent");
  EXPECT_EQ(event->source_type(), "repo");
  EXPECT_EQ(event->source_id(), "owner/repo");
  EXPECT_EQ(event->payload(), (std::string_view{"a\0b", 3}));
  EXPECT_EQ(event->tag(), 7U);
  EXPECT_EQ(event->record_bytes(), 13U);
  EXPECT_EQ(event->block_bytes(), bytes);
}

TEST(EventTest, CarriesFieldsAtTheirLimits) {
  const std::string id(kIdBytesMax, 'i');
  const std::string type(kTypeBytesMax, 't');
  const std::string source_type(kSourceTypeBytesMax, 's');
  const std::string source_id(kSourceIdBytesMax, 'k');
  const EventPtr event =
      make_event({.id = id, .type = type, .source_type = source_type, .source_id = source_id});
  EXPECT_EQ(event->id(), id);
  EXPECT_EQ(event->type(), type);
  EXPECT_EQ(event->source_type(), source_type);
  EXPECT_EQ(event->source_id(), source_id);
  EXPECT_TRUE(event->payload().empty());
}

std::string tags(EventList& list) {
  std::string all;
  while (!list.empty()) all += std::to_string(list.pop_front()->tag()) + " ";
  return all;
}

EventList list_of(std::initializer_list<std::uint64_t> tags) {
  EventList list;
  for (const std::uint64_t tag : tags) list.push_back(testing::make_event("s", tag));
  return list;
}

TEST(EventListTest, GivesBackInOrderWhatWasPushed) {
  EventList list = list_of({1, 2, 3});
  EXPECT_EQ(list.size(), 3U);
  EXPECT_EQ(tags(list), "1 2 3 ");
  EXPECT_TRUE(list.empty());
}

TEST(EventListTest, SplicesAtBothEnds) {
  EventList list = list_of({3, 4});
  list.splice_front(list_of({1, 2}));
  list.splice_back(list_of({5}));
  list.splice_front({});
  list.splice_back({});
  EXPECT_EQ(list.size(), 5U);
  EXPECT_EQ(tags(list), "1 2 3 4 5 ");
}

TEST(EventListTest, TakesFromTheFrontOfAnotherWithinCountAndBytes) {
  EventList from;
  for (std::uint64_t tag = 1; tag <= 5; ++tag)
    from.push_back(testing::make_event("s", tag, "123456789"));
  EventList to = list_of({0});
  EXPECT_EQ(to.take_front(from, 2, 1000, 5), 2U * 15U);
  EXPECT_EQ(to.take_front(from, 9, 31, 5), 2U * 15U) << "a third would be 45 bytes";
  EXPECT_EQ(to.take_front(from, 9, 1, 5), 15U) << "the first goes in any case";
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(tags(to), "0 1 2 3 4 5 ");
}

TEST(EventListTest, KeepsItsOrderWhileItGrowsAndWrapsAround) {
  EventList list;
  std::uint64_t next_in = 0;
  std::uint64_t next_out = 0;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 7; ++i) list.push_back(testing::make_event("s", next_in++));
    for (int i = 0; i < 5; ++i) ASSERT_EQ(list.pop_front()->tag(), next_out++);
  }
  ASSERT_EQ(list.size(), next_in - next_out);
  for (std::size_t i = 0; i < list.size(); ++i) ASSERT_EQ(list[i].tag(), next_out + i);
}

TEST(EventListTest, MovesLeaveAnEmptyListThatCanBeUsedAgain) {
  EventList from = list_of({1, 2});
  EventList to = std::move(from);
  from = list_of({9});
  EXPECT_EQ(tags(to), "1 2 ");
  EXPECT_EQ(tags(from), "9 ");
}

}  // namespace
}  // namespace dualstream::event
