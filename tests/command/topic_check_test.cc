#include "load/topic_check.h"

#include <gtest/gtest.h>

#include "load/payloads.h"

namespace dualstream::command {
namespace {

constexpr std::uint32_t kRun = 77;

class TopicCheckTest : public ::testing::Test {
 protected:
  std::string payload(std::uint32_t source, std::uint32_t index, std::uint32_t run = kRun) const {
    std::string text(payloads_.bytes_max(), '\0');
    text.resize(payloads_.write(0, {.run = run, .source = source, .index = index}, text.data()));
    return text;
  }

  void take(std::uint32_t source, std::uint32_t index, std::int32_t partition = 0) {
    check_.take(partition, "source-" + std::to_string(source), payload(source, index));
  }

  void acknowledge(std::initializer_list<std::uint64_t> indexes) {
    for (const std::uint64_t index : indexes) acknowledged_.set(index);
  }

  const Payloads payloads_ = Payloads::of_size(96, 1);
  TopicCheck check_{kRun, 10};
  Bitmap acknowledged_;
};

TEST_F(TopicCheckTest, FindsNothingWrongWhereNothingIs) {
  acknowledge({0, 1, 2, 3});
  take(1, 0);
  take(2, 1, 3);
  take(1, 2);
  take(2, 3, 3);
  const TopicFindings found = check_.conclude(acknowledged_);
  EXPECT_EQ(found.records, 4U);
  EXPECT_EQ(found.foreign + found.corrupt + found.duplicated + found.out_of_order + found.lost +
                found.unacknowledged,
            0U);
}

TEST_F(TopicCheckTest, CountsWhatIsLost) {
  acknowledge({0, 1, 2, 1'000'000'000});
  take(1, 1);
  EXPECT_EQ(check_.conclude(acknowledged_).lost, 3U);
}

TEST_F(TopicCheckTest, CountsRepeatsAndNotAsOutOfOrder) {
  acknowledge({0, 1});
  take(1, 0);
  take(1, 1);
  take(1, 0);
  take(1, 0);
  const TopicFindings found = check_.conclude(acknowledged_);
  EXPECT_EQ(found.duplicated, 2U);
  EXPECT_EQ(found.out_of_order, 0U);
  EXPECT_EQ(found.lost, 0U);
}

TEST_F(TopicCheckTest, CountsWhatIsOutOfOrderPerSource) {
  acknowledge({0, 1, 2, 3});
  take(1, 2);
  take(2, 1);  // Another source: no order between them is promised.
  take(1, 0);
  take(1, 3);
  EXPECT_EQ(check_.conclude(acknowledged_).out_of_order, 1U);
}

TEST_F(TopicCheckTest, CountsASourceInAnotherPartition) {
  take(1, 0, 0);
  take(1, 1, 1);
  EXPECT_EQ(check_.conclude(acknowledged_).out_of_order, 1U);
}

TEST_F(TopicCheckTest, TellsCorruptFromForeign) {
  std::string changed = payload(1, 0);
  changed[80] = '~';
  check_.take(0, "source-1", changed);
  check_.take(0, "source-2", payload(1, 1));    // Another key.
  check_.take(0, "source-11", payload(11, 2));  // No source of the run.
  check_.take(0, "source-1", payload(1, 3, kRun + 1));
  check_.take(0, "k", "whatever others write");
  check_.take(0, "", "");
  const TopicFindings found = check_.conclude(acknowledged_);
  EXPECT_EQ(found.corrupt, 3U);
  EXPECT_EQ(found.foreign, 3U);
}

TEST_F(TopicCheckTest, CountsWhatIsThereThoughItWasReportedAsFailed) {
  acknowledge({0});
  take(1, 0);
  take(1, 1);
  EXPECT_EQ(check_.conclude(acknowledged_).unacknowledged, 1U);
}

}  // namespace
}  // namespace dualstream::command
