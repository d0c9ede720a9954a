#include "support/verifying_events.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::testing {
namespace {

constexpr std::size_t kSources = 3;
constexpr std::uint64_t kPerSource = 10;

// A checker that holds that a few events are accepted, and a topic that has them all.
class EventsCheckerTest : public ::testing::Test {
 protected:
  EventsCheckerTest() {
    for (std::uint64_t sequence = 0; sequence < kPerSource; ++sequence) {
      for (std::size_t source = 0; source < kSources; ++source) {
        const auto partition = static_cast<std::int32_t>(source);
        const auto offset = static_cast<std::int64_t>(sequence);
        topic_.push_back(record(events_.make(source, sequence), partition, offset));
        checker_.expect(source, sequence, partition, offset);
      }
    }
  }

  static Record record(const VerifyingEvent& event, std::int32_t partition, std::int64_t offset) {
    return {.partition = partition,
            .offset = offset,
            .key = event.source_id,
            .value = event.payload,
            .java_partition = partition};
  }

  // Where the event stands in topic_.
  static std::size_t index_of(std::size_t source, std::uint64_t sequence) {
    return sequence * kSources + source;
  }

  [[nodiscard]] CheckReport check() const { return checker_.check(topic_); }

  const VerifyingEvents events_{{.seed = 7}};
  EventsChecker checker_{events_};
  std::vector<Record> topic_;
};

TEST(VerifyingEventsTest, MakesTheSameEventAgainInTheSizeAskedFor) {
  const VerifyingEvents events{{.seed = 3, .payload_bytes = 300}};
  const VerifyingEvent event = events.make(12, 345);
  EXPECT_EQ(event.payload, events.make(12, 345).payload);
  EXPECT_EQ(event.payload.size(), 300U);
  EXPECT_EQ(event.view().source_id, "load/s12");
  EXPECT_EQ(source_of(event.view().tag), 12U);
  EXPECT_EQ(sequence_of(event.view().tag), 345U);
}

TEST(VerifyingEventsTest, RecognisesOnlyItsOwnEvents) {
  const VerifyingEvents events{{.seed = 3}};
  EXPECT_EQ(events.recognise(events.make(1, 2).payload)->sequence, 2U);
  EXPECT_FALSE(events.recognise(VerifyingEvents{{.seed = 4}}.make(1, 2).payload));
  EXPECT_FALSE(events.recognise(""));
  EXPECT_FALSE(events.recognise(R"({"source":1})"));
}

TEST_F(EventsCheckerTest, IsContentWithWhatWasPromised) {
  const CheckReport report = check();
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.text, "");
  EXPECT_EQ(report.records, kSources * kPerSource);
}

TEST_F(EventsCheckerTest, SeesAMissingEvent) {
  topic_.erase(topic_.begin() + static_cast<std::ptrdiff_t>(index_of(1, 4)));
  const CheckReport report = check();
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.missing, 1U);
  EXPECT_EQ(report.text, "missing: load/s1#4\n");
}

TEST_F(EventsCheckerTest, SeesAnEmptyTopicAndTellsOnlyTheFirstFew) {
  topic_.clear();
  const CheckReport report = check();
  EXPECT_EQ(report.missing, kSources * kPerSource);
  EXPECT_TRUE(report.text.ends_with("missing: and more\n")) << report.text;
}

TEST_F(EventsCheckerTest, SeesADuplicate) {
  topic_.push_back(record(events_.make(2, 9), 2, 10));
  const CheckReport report = check();
  EXPECT_FALSE(report.ok());
  EXPECT_TRUE(report.ok_but_for_duplicates()) << report.text;
  EXPECT_EQ(report.duplicates, 1U);
  EXPECT_EQ(report.text,
            "duplicate: load/s2#9 at partition 2 offset 10, first at partition 2 offset 9\n");
}

TEST_F(EventsCheckerTest, TakesARepeatedRunForDuplicatesNotForDisorder) {
  topic_.push_back(record(events_.make(0, 3), 0, 10));
  topic_.push_back(record(events_.make(0, 4), 0, 11));
  EXPECT_EQ(check().duplicates, 2U);
  EXPECT_EQ(check().out_of_order, 0U);
}

TEST_F(EventsCheckerTest, SeesTwoEventsThatChangedPlaces) {
  std::swap(topic_[index_of(1, 4)].value, topic_[index_of(1, 5)].value);
  const CheckReport report = check();
  EXPECT_FALSE(report.ok_but_for_duplicates());
  EXPECT_EQ(report.out_of_order, 1U);
  EXPECT_EQ(report.misplaced, 2U) << "neither stands where its outcome said";
}

TEST_F(EventsCheckerTest, SeesAnyByteThatChanged) {
  const std::string good = *topic_[0].value;
  for (std::size_t at = 0; at < good.size(); ++at) {
    topic_[0].value = good;
    (*topic_[0].value)[at] ^= 1;
    const CheckReport report = check();
    EXPECT_FALSE(report.ok_but_for_duplicates()) << "byte " << at;
    EXPECT_EQ(report.corrupt + report.unexpected, 1U) << "byte " << at;
  }
}

TEST_F(EventsCheckerTest, SeesACutAndALongerAndANullValue) {
  const std::string good = *topic_[0].value;
  topic_[0].value = good.substr(0, good.size() - 1);
  EXPECT_EQ(check().corrupt, 1U);
  topic_[0].value = good + ' ';
  EXPECT_EQ(check().corrupt, 1U);
  topic_[0].value.reset();
  EXPECT_EQ(check().corrupt, 1U);
}

TEST_F(EventsCheckerTest, SeesAWrongKey) {
  topic_[0].key = "load/s1";
  EXPECT_EQ(check().corrupt, 1U);
  topic_[0].key.reset();
  EXPECT_EQ(check().corrupt, 1U);
}

TEST_F(EventsCheckerTest, SeesARecordInAPartitionThatJavaWouldNotChoose) {
  topic_[0].java_partition = 2;
  const CheckReport report = check();
  EXPECT_EQ(report.misplaced, 1U);
  EXPECT_EQ(report.text,
            "misplaced: load/s0#0 at partition 0 offset 0, Java chooses partition 2\n");
}

TEST_F(EventsCheckerTest, SeesARecordThatIsNotWhereItsOutcomeSaid) {
  topic_[0].offset = 99;
  EXPECT_EQ(check().misplaced, 1U);
}

TEST_F(EventsCheckerTest, SeesAnEventThatNobodyAccepted) {
  topic_.push_back(record(events_.make(0, kPerSource), 0, 10));
  EXPECT_EQ(check().unexpected, 1U);
  EXPECT_FALSE(check().ok_but_for_duplicates());
}

TEST_F(EventsCheckerTest, HoldsAFailedEventToWhatItsOutcomeSaid) {
  Outcome outcome;
  outcome.kind = OutcomeKind::failed;
  outcome.tag = events_.make(0, 5).view().tag;
  outcome.persisted = Persisted::no;
  checker_.expect(outcome);
  EXPECT_EQ(check().forbidden, 1U);

  outcome.persisted = Persisted::maybe;
  checker_.expect(outcome);
  EXPECT_TRUE(check().ok()) << check().text;
  topic_.erase(topic_.begin() + static_cast<std::ptrdiff_t>(index_of(0, 5)));
  EXPECT_TRUE(check().ok()) << check().text;
}

std::string big_endian(std::uint64_t value, int size) {
  std::string bytes;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    bytes += static_cast<char>(value >> static_cast<unsigned>(shift) & 0xFFU);
  }
  return bytes;
}

// One record with key "k" and a null value, and the trailer.
std::string framed_topic() {
  const std::string null = big_endian(0xFFFFFFFF, 4);
  return big_endian(2, 4) + big_endian(300, 8) + big_endian(1, 4) + "k" + null + big_endian(1, 4) +
         null + big_endian(1, 8) + null + null + big_endian(4, 4);
}

TEST(TopicReaderTest, ParsesTheFraming) {
  const std::vector<Record> records = parse_records(framed_topic());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].partition, 2);
  EXPECT_EQ(records[0].offset, 300);
  EXPECT_EQ(records[0].key, "k");
  EXPECT_FALSE(records[0].value);
  EXPECT_EQ(records[0].java_partition, 1);
}

TEST(TopicReaderTest, RefusesAnyPartOfTheFraming) {
  const std::string whole = framed_topic();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW((void)parse_records(std::string_view{whole}.substr(0, size)), std::runtime_error)
        << size;
  }
  EXPECT_THROW((void)parse_records(whole + '\0'), std::runtime_error);
  // The trailer alone, though it counts one record.
  EXPECT_THROW((void)parse_records(std::string_view{whole}.substr(25)), std::runtime_error);
}

}  // namespace
}  // namespace dualstream::testing
