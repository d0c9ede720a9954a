#include "kafka/partitioner.h"

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "event/key_hash.h"

namespace dualstream::kafka {
namespace {

// The vectors of Apache Kafka's own UtilsTest.testMurmur2.
TEST(PartitionerTest, HashesAsKafkasJavaClientDoes) {
  const auto hash = [](std::string_view key) {
    return static_cast<std::int32_t>(event::key_hash(key));
  };
  EXPECT_EQ(hash("21"), -973932308);
  EXPECT_EQ(hash("foobar"), -790332482);
  EXPECT_EQ(hash("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(hash("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(hash("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  EXPECT_EQ(hash("abc"), 479470107);
}

TEST(PartitionerTest, ClearsTheSignAsJavaDoesInsteadOfNegating) {
  EXPECT_EQ(partition_of("foobar", 1000),
            static_cast<std::int32_t>((-790332482 & 0x7fffffff) % 1000));
}

TEST(PartitionerTest, ReachesEveryPartition) {
  std::set<std::int32_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::int32_t partition = partition_of("source-" + std::to_string(i), 16);
    ASSERT_GE(partition, 0);
    ASSERT_LT(partition, 16);
    seen.insert(partition);
  }
  EXPECT_EQ(seen.size(), 16U);
}

TEST(PartitionerTest, WithOneClientALaneIsAPartition) {
  for (int i = 0; i < 1000; ++i) {
    const std::string source = "source-" + std::to_string(i);
    ASSERT_EQ(lane_of(event::key_hash(source), 7, 1), partition_of(source, 7));
  }
}

TEST(PartitionerTest, SharesTheSourcesOfEachPartitionOutAmongAllClients) {
  std::map<std::int32_t, int> sources;  // By lane.
  for (int i = 0; i < 12'000; ++i) {
    const std::string source = "source-" + std::to_string(i);
    const std::int32_t lane = lane_of(event::key_hash(source), 4, 3);
    ASSERT_EQ(lane / 3, partition_of(source, 4));
    sources[lane] += 1;
  }
  ASSERT_EQ(sources.size(), 12U);
  for (const auto& [lane, count] : sources) EXPECT_NEAR(count, 1'000, 150) << lane;
}

TEST(PartitionerTest, KeepsASourceWithItsClientWhenTheTopicGrows) {
  for (int i = 0; i < 1000; ++i) {
    const std::string source = "source-" + std::to_string(i);
    for (const std::int32_t partitions : {2, 3, 4, 64, 1000}) {
      ASSERT_EQ(lane_of(event::key_hash(source), partitions, 16) % 16,
                lane_of(event::key_hash(source), 1, 16));
    }
  }
}

}  // namespace
}  // namespace dualstream::kafka
