// K9: single errors that a broker answers a produce request with, which a real one cannot be made
// to give at will: librdkafka's mock cluster does. Each event is delivered after retries, or fails
// with the reason; none is without an outcome, and the engine goes on.
//
// The mock keeps no idempotent producer's sequence, so what stands in its log proves nothing: the
// real cluster's tests show that nothing is lost or twice (cluster_test.cc, kafka_network_test.cc).
#include <array>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/fault_run.h"

namespace dualstream {
namespace {

using std::chrono::seconds;
using testing::EngineRun;
using testing::eventually;

constexpr std::int16_t kProduce = 0;  // Kafka's number for the request.

class MockCluster {
 public:
  MockCluster() {
    std::array<char, 256> error{};
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error.data(), error.size()));
    cluster_.reset(client_ ? rd_kafka_mock_cluster_new(client_.get(), 3) : nullptr);
    if (!cluster_) throw std::runtime_error{"librdkafka makes no mock cluster"};
    rd_kafka_mock_topic_create(cluster_.get(), "events", 4, 3);
  }

  [[nodiscard]] std::string brokers() const {
    return rd_kafka_mock_cluster_bootstraps(cluster_.get());
  }
  // The next `count` produce requests are answered so.
  void answer_with(rd_kafka_resp_err_t error, std::size_t count) {
    for (; count > 0; --count) {
      rd_kafka_mock_push_request_errors(cluster_.get(), kProduce, 1, error);
    }
  }

 private:
  struct Destroy {
    void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
    void operator()(rd_kafka_mock_cluster_t* cluster) const {
      rd_kafka_mock_cluster_destroy(cluster);
    }
  };
  std::unique_ptr<rd_kafka_t, Destroy> client_;
  std::unique_ptr<rd_kafka_mock_cluster_t, Destroy> cluster_;
};

struct ErrorCase {
  const char* name;
  rd_kafka_resp_err_t error;
  // What its events fail with; none: the client tries again until they are delivered.
  Failure failure;
};

const std::array kErrorCases = {
    ErrorCase{"NotEnoughReplicas", RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, Failure::none},
    ErrorCase{"NotEnoughReplicasAfterAppend", RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
              Failure::none},
    ErrorCase{"StorageError", RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, Failure::none},
    ErrorCase{"RequestTimedOut", RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, Failure::none},
    ErrorCase{"LeaderNotAvailable", RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, Failure::none},
    ErrorCase{"NotLeader", RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, Failure::none},
    // librdkafka 2.0 does not try this one again.
    ErrorCase{"NetworkException", RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, Failure::rejected},
    ErrorCase{"UnknownProducerId", RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, Failure::none},
    ErrorCase{"TopicAuthorizationFailed", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
              Failure::unauthorized},
    ErrorCase{"InvalidRecord", RD_KAFKA_RESP_ERR_INVALID_RECORD, Failure::rejected},
    ErrorCase{"InvalidRequiredAcks", RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, Failure::rejected},
};

class ErrorCodeFaultTest : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(ErrorCodeFaultTest, K9_IsRetriedOrFailsWithItsReason) {
  MockCluster cluster;
  Options options = EngineRun::options(cluster.brokers(), "events");
  options.kafka.delivery_timeout = seconds{30};
  // A larger batch may leave as two requests, and this broker keeps no sequence: it would take the
  // second behind a first that it refused, which the client reads as an acknowledgement of both.
  options.kafka.batch_events_max = 1;
  EngineRun run{options};
  run.publish({.events = 200, .sources = 20});
  ASSERT_TRUE(run.drained_within(seconds{120}));
  ASSERT_EQ(run.stats()[Counter::delivered], 200U);

  for (std::size_t round = 0; round < testing::fault_scale(); ++round) {
    cluster.answer_with(GetParam().error, 2);
    run.publish({.events = 200, .sources = 20});
    EXPECT_TRUE(run.drained_within(seconds{40})) << "none is without an outcome";
  }
  const Stats stats = run.stats();
  if (GetParam().failure == Failure::none) {
    EXPECT_EQ(stats[Counter::failed], 0U);
  } else {
    EXPECT_GT(stats[Counter::failed], 0U);
    EXPECT_EQ(run.failed(GetParam().failure), stats[Counter::failed]) << "for that reason alone";
  }

  // The errors that nobody met are gone with these.
  EXPECT_TRUE(eventually(seconds{20}, [&] {
    const std::uint64_t failed = run.stats()[Counter::failed];
    run.publish({.events = 20, .sources = 20});
    return run.drained_within(seconds{10}) && run.stats()[Counter::failed] == failed;
  })) << "it goes on";
  std::cout << run.stats()[Counter::delivered] << " delivered, " << run.stats()[Counter::failed]
            << " failed, " << run.stats()[Counter::producer_rebuilds] << " clients replaced\n";
  EXPECT_TRUE(run.stop(seconds{10}).ok());
}

INSTANTIATE_TEST_SUITE_P(Codes, ErrorCodeFaultTest, ::testing::ValuesIn(kErrorCases),
                         [](const auto& tested) { return std::string{tested.param.name}; });

}  // namespace
}  // namespace dualstream
