#include "subscriber/partition_merge.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::subscriber {
namespace {

using Updates = std::vector<Update>;

constexpr std::int32_t kPartition = 3;

Update event_of(const std::string& source, std::int64_t offset, Origin origin) {
  Update update;
  update.origin = origin;
  update.partition = kPartition;
  update.offset = offset;
  update.id = std::to_string(offset);
  update.type = "PushEvent";
  update.source_type = "repo";
  update.source_id = source;
  return update;
}

// "a@7 b@9 gap[3,5)"; a history one as "a@7h", a late one as "a@7!".
std::string text(const Updates& updates) {
  std::string all;
  for (const Update& update : updates) {
    if (!all.empty()) all += ' ';
    if (update.kind == UpdateKind::gap) {
      all += "gap[" + std::to_string(update.offset) + "," + std::to_string(update.gap_end) + ")";
      continue;
    }
    all += update.source_id + "@" + std::to_string(update.offset);
    if (update.origin == Origin::history) all += "h";
    if (update.late) all += "!";
  }
  return all;
}

// A reader of the sources a and b by name, or of whatever there is.
class Reader {
 public:
  explicit Reader(OffsetRange join, PartitionMerge::Limits limits = {}, bool named = true)
      : merge_(kPartition, limits, join,
               named ? std::vector<std::string>{source_key("repo", "a"), source_key("repo", "b")}
                     : std::vector<std::string>{}) {}

  PartitionMerge& merge() { return merge_; }

  std::string live(const std::string& source, std::int64_t offset, std::int64_t previous) {
    Updates out;
    merge_.live({.update = event_of(source, offset, Origin::live), .previous = previous}, out);
    return text(out);
  }
  std::string wanted() {
    Updates out;
    const auto range = merge_.wanted(out);
    const std::string what =
        range ? "[" + std::to_string(range->from) + "," + std::to_string(range->to) + ")"
              : "nothing";
    return out.empty() ? what : text(out) + " " + what;
  }
  std::string history(OffsetRange range,
                      const std::vector<std::pair<std::string, std::int64_t>>& records) {
    Updates found;
    for (const auto& [source, offset] : records) {
      found.push_back(event_of(source, offset, Origin::history));
    }
    Updates out;
    merge_.history(range, std::move(found), out);
    (void)merge_.wanted(out);
    return text(out);
  }

 private:
  PartitionMerge merge_;
};

TEST(PartitionMergeTest, HandsOnWhatFollows) {
  Reader reader{{.from = 100, .to = 100}};
  EXPECT_EQ(reader.live("a", 105, 90), "a@105") << "what came before is not wanted";
  EXPECT_EQ(reader.live("a", 110, 105), "a@110");
  EXPECT_EQ(reader.wanted(), "nothing");
  EXPECT_EQ(reader.merge().phase(), SubscriptionPhase::live);
}

TEST(PartitionMergeTest, LooksIntoKafkaWhenPreviousIsAheadOfWhatWasSeen) {
  Reader reader{{.from = 100, .to = 100}};
  EXPECT_EQ(reader.live("a", 105, 90), "a@105");
  EXPECT_EQ(reader.live("a", 120, 117), "") << "117 was missed";
  EXPECT_EQ(reader.live("b", 121, 99), "b@121") << "another source does not wait";
  EXPECT_EQ(reader.wanted(), "[106,120)");
  EXPECT_EQ(reader.history({.from = 106, .to = 120}, {{"a", 109}, {"a", 117}}),
            "a@109h a@117h a@120");
  EXPECT_EQ(reader.wanted(), "nothing");
  EXPECT_EQ(reader.merge().counts().gaps_healed, 1U);
}

TEST(PartitionMergeTest, ReadsInPiecesAndReleasesAsSoonAsItMay) {
  Reader reader{{.from = 0, .to = 0}};
  EXPECT_EQ(reader.live("a", 50, 10), "");
  EXPECT_EQ(reader.live("a", 60, 50), "");
  EXPECT_EQ(reader.history({.from = 0, .to = 5}, {{"a", 3}}), "a@3h");
  EXPECT_EQ(reader.wanted(), "[5,50)");
  EXPECT_EQ(reader.history({.from = 5, .to = 11}, {{"a", 10}}), "a@10h a@50 a@60")
      << "10 is what 50 waited for";
  EXPECT_EQ(reader.wanted(), "nothing");
}

TEST(PartitionMergeTest, AnUnknownPreviousIsLookedForOnlyWhereASourceMayHaveMissedSome) {
  Reader reader{{.from = 100, .to = 100}};
  EXPECT_EQ(reader.live("a", 105, -1), "");
  EXPECT_EQ(reader.wanted(), "[100,105)");
  EXPECT_EQ(reader.history({.from = 100, .to = 105}, {}), "a@105");
  EXPECT_EQ(reader.live("a", 106, -1), "a@106") << "there is no room for one in between";

  Reader open{{.from = 100, .to = 100}, {}, false};
  EXPECT_EQ(open.live("new", 105, -1), "new@105") << "nobody knows of an earlier one";
  EXPECT_EQ(open.live("new", 109, -1), "");
  EXPECT_EQ(open.wanted(), "[106,109)");
}

TEST(PartitionMergeTest, JoinsWithHistoryFirst) {
  Reader reader{{.from = 10, .to = 20}};
  EXPECT_EQ(reader.merge().phase(), SubscriptionPhase::joining);
  EXPECT_EQ(reader.live("a", 18, 12), "") << "it lies before the end that was asked for";
  EXPECT_EQ(reader.live("b", 21, 9), "") << "history comes first";
  EXPECT_EQ(reader.wanted(), "[10,20)");
  EXPECT_EQ(reader.history({.from = 10, .to = 20}, {{"a", 12}, {"a", 18}}), "a@12h a@18h b@21");
  EXPECT_EQ(reader.merge().phase(), SubscriptionPhase::live);
  EXPECT_EQ(reader.live("a", 12, -1), "") << "the overlap is dropped";
  EXPECT_EQ(reader.merge().counts().repeats, 2U);
}

TEST(PartitionMergeTest, ABreakIsReadAndTheOverlapDropped) {
  Reader reader{{.from = 0, .to = 0}};
  EXPECT_EQ(reader.live("a", 3, -1), "");
  EXPECT_EQ(reader.history({.from = 0, .to = 3}, {}), "a@3");
  reader.merge().look_into({.from = 1, .to = 9});
  EXPECT_EQ(reader.live("a", 10, 8), "");
  EXPECT_EQ(reader.wanted(), "[3,10)");
  EXPECT_EQ(reader.history({.from = 3, .to = 10}, {{"a", 3}, {"b", 5}, {"a", 8}}),
            "b@5h a@8h a@10");
  EXPECT_EQ(reader.live("b", 5, -1), "") << "it was late, and came from Kafka meanwhile";
}

TEST(PartitionMergeTest, SaysWhatKafkaNoLongerHas) {
  Reader reader{{.from = 0, .to = 0}};
  EXPECT_EQ(reader.live("a", 50, 40), "");
  Updates out;
  reader.merge().begins_at(45, out);
  EXPECT_EQ(text(out), "gap[0,45) a@50") << "never a partial gap in silence";
  EXPECT_EQ(out.front().reason, GapReason::retention);
  EXPECT_EQ(reader.wanted(), "nothing");
  EXPECT_EQ(reader.merge().counts().gaps_lost, 1U);
  EXPECT_EQ(reader.merge().counts().gaps_healed, 0U);
}

TEST(PartitionMergeTest, SaysWhatIsTooLongToReadAndReadsTheRest) {
  Reader reader{{.from = 0, .to = 0}, {.history_offsets_max = 10}};
  EXPECT_EQ(reader.live("a", 50, 48), "");
  EXPECT_EQ(reader.wanted(), "gap[0,40) [40,50)");
  EXPECT_EQ(reader.history({.from = 40, .to = 50}, {{"a", 48}}), "a@48h a@50");
}

TEST(PartitionMergeTest, ThrowsHeldEventsAwayAtItsBoundAndReadsThemFromKafka) {
  Reader reader{{.from = 0, .to = 0}, {.held_max = 2}};
  EXPECT_EQ(reader.live("a", 10, 5), "");
  EXPECT_EQ(reader.live("a", 11, 10), "");
  EXPECT_EQ(reader.live("a", 12, 11), "");
  EXPECT_EQ(reader.merge().held(), 0U);
  EXPECT_EQ(reader.live("a", 13, 12), "");
  EXPECT_EQ(reader.wanted(), "[0,13)");
  EXPECT_EQ(reader.history({.from = 0, .to = 13}, {{"a", 5}, {"a", 10}, {"a", 11}, {"a", 12}}),
            "a@5h a@10h a@11h a@12h a@13");
}

TEST(PartitionMergeTest, TheSameEventOnTwoChannelsComesOnce) {
  Reader reader{{.from = 0, .to = 0}, {}, false};
  EXPECT_EQ(reader.live("a", 1, -1), "a@1");
  EXPECT_EQ(reader.live("a", 2, 1), "a@2");
  EXPECT_EQ(reader.live("a", 1, -1), "");
  EXPECT_EQ(reader.live("a", 2, 1), "");
  EXPECT_EQ(reader.merge().counts().repeats, 2U);
}

TEST(PartitionMergeTest, AnotherEnginesEventComesLateAndSaysSo) {
  Reader reader{{.from = 0, .to = 0}, {}, false};
  EXPECT_EQ(reader.live("a", 1, -1), "a@1");
  EXPECT_EQ(reader.live("a", 9, 1), "a@9");
  EXPECT_EQ(reader.live("a", 7, -1), "a@7!") << "published by another engine at the same time";
  EXPECT_EQ(reader.live("a", 7, -1), "");
  EXPECT_EQ(reader.merge().counts().late, 1U);
}

TEST(PartitionMergeTest, AForgottenSourceIsNotRepeated) {
  Reader reader{{.from = 0, .to = 0}, {.sources_max = 2, .recent_max = 1}, false};
  EXPECT_EQ(reader.live("a", 1, -1), "a@1");
  EXPECT_EQ(reader.live("b", 2, -1), "b@2");
  EXPECT_EQ(reader.live("c", 3, -1), "c@3");
  reader.merge().look_into({.from = 0, .to = 5});
  EXPECT_EQ(reader.history({.from = 0, .to = 5}, {{"a", 1}, {"b", 2}, {"c", 3}, {"a", 4}}), "a@4h");
}

// Many sources speak once each: who spoke while history was to be read is soon forgotten.
TEST(PartitionMergeTest, WhatWasMissedIsReadHoweverManySourcesAreForgottenMeanwhile) {
  Reader reader{{.from = 0, .to = 0}, {.sources_max = 2, .recent_max = 1}, false};
  reader.merge().look_into({.from = 0, .to = 3});
  std::string live;
  std::vector<std::pair<std::string, std::int64_t>> records{{"x", 0}, {"y", 1}, {"z", 2}};
  for (std::int64_t offset = 3; offset < 40; ++offset) {
    const std::string source = std::string{"s"}.append(std::to_string(offset));
    live.append(reader.live(source, offset, -1)).append(" ");
    records.emplace_back(source, offset);
  }
  EXPECT_TRUE(live.starts_with("s3@3 s4@4 ")) << live;
  EXPECT_EQ(live.find("s39@39"), std::string::npos) << "left to history: " << live;
  EXPECT_EQ(reader.wanted(), "[0,40)");
  const std::string history = reader.history({.from = 0, .to = 40}, records);
  EXPECT_TRUE(history.starts_with("x@0h y@1h z@2h ")) << history;
  for (const auto& [source, offset] : records) {
    const std::string event = std::string{source}.append("@").append(std::to_string(offset));
    EXPECT_NE(live.find(event + " ") != std::string::npos,
              history.find(event + "h") != std::string::npos)
        << event << " comes once: " << live << "| " << history;
  }
  EXPECT_EQ(reader.wanted(), "nothing");
  EXPECT_EQ(reader.live("a", 40, -1), "a@40");
}

TEST(PartitionMergeTest, WhatIsThrownAwayComesEvenIfItsSourceNeverSpeaksAgain) {
  Reader reader{{.from = 0, .to = 0}, {.held_max = 1}, false};
  EXPECT_EQ(reader.live("a", 3, -1), "a@3");
  EXPECT_EQ(reader.live("b", 4, -1), "b@4");
  reader.merge().pause();
  EXPECT_EQ(reader.live("a", 7, 3), "");
  EXPECT_EQ(reader.live("b", 8, 4), "");
  Updates out;
  reader.merge().resume(out);
  EXPECT_EQ(reader.wanted(), "[7,9)");
  EXPECT_EQ(reader.history({.from = 7, .to = 9}, {{"a", 7}, {"b", 8}}), "a@7h b@8h");
}

TEST(PartitionMergeTest, AHeldEventThatHistoryDoesNotShowIsHandedOnAllTheSame) {
  Reader reader{{.from = 0, .to = 0}};
  EXPECT_EQ(reader.live("a", 10, 5), "");
  reader.merge().look_into({.from = 0, .to = 20});
  EXPECT_EQ(reader.history({.from = 0, .to = 20}, {}), "a@10") << "its record cannot be read";
}

TEST(PartitionMergeTest, GoesOnWithATopicThatWasMadeAnewAndSaysSo) {
  Reader reader{{.from = 100, .to = 100}};
  EXPECT_EQ(reader.live("a", 105, 90), "a@105");
  EXPECT_EQ(reader.live("a", 120, 117), "") << "117 was missed, and is gone";
  Updates told;
  reader.merge().begin_anew(8, {source_key("repo", "a"), source_key("repo", "b")}, told);
  ASSERT_EQ(text(told), "gap[106,0)");
  EXPECT_EQ(told.front().reason, GapReason::topic_changed);
  EXPECT_EQ(reader.merge().counts().gaps_lost, 1U);
  EXPECT_EQ(reader.live("a", 9, 7), "") << "history comes first";
  EXPECT_EQ(reader.wanted(), "[0,8)");
  EXPECT_EQ(reader.history({.from = 0, .to = 8}, {{"b", 2}, {"a", 7}}), "b@2h a@7h a@9");
  EXPECT_EQ(reader.wanted(), "nothing");
  EXPECT_EQ(reader.live("a", 10, 9), "a@10");
  EXPECT_EQ(reader.merge().counts().live, 3U) << "counts go on";
}

TEST(PartitionMergeTest, DoubtsTheTopicWhenItIsToldOfAnotherEventInAPlace) {
  Reader reader{{.from = 0, .to = 0}};
  EXPECT_EQ(reader.live("a", 5, -1), "");
  EXPECT_EQ(reader.history({.from = 0, .to = 5}, {}), "a@5");
  EXPECT_EQ(reader.live("a", 5, -1), "") << "the same on another channel";
  EXPECT_FALSE(reader.merge().take_doubt());
  Update other = event_of("a", 5, Origin::live);
  other.id = "another";
  Updates out;
  reader.merge().live({.update = other, .previous = -1}, out);
  EXPECT_TRUE(out.empty()) << "Kafka has to say which one is there";
  EXPECT_TRUE(reader.merge().take_doubt());
  EXPECT_FALSE(reader.merge().take_doubt()) << "said once";
  EXPECT_EQ(reader.live("b", 7, 9), "") << "its predecessor lies behind it";
  EXPECT_TRUE(reader.merge().take_doubt());
}

}  // namespace
}  // namespace dualstream::subscriber
