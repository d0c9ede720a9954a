// The command with --checkpoint, killed again and again: what it had not finished is done again,
// and nothing is lost.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "checkpoint_state.h"
#include "command/program.h"
#include "command/temporary_folder.h"
#include "support/fault_run.h"
#include "support/kafka_admin.h"
#include "support/notifications_check.h"
#include "support/redis_subscriber.h"
#include "support/servers.h"
#include "support/topic_reader.h"
#include "support/verifying_events.h"

namespace dualstream {
namespace {

using std::chrono::milliseconds;
using testing::Program;
using testing::ProgramEnd;

constexpr std::size_t kSources = 500;
constexpr std::size_t kFiles = 2;
constexpr std::uint64_t kEventsPerSource = 600;
constexpr std::size_t kQueueEvents = 10'000;
// What one kill may repeat, as docs/ingest.md says.
constexpr std::size_t kRepeatsMax = 2 * kQueueEvents;

class CheckpointFaultTest : public ::testing::Test {
 protected:
  CheckpointFaultTest() {
    testing::create_topic(servers_.brokers(), topic_);
    // Every file has sources of its own, whose events stand in order.
    for (std::size_t file = 0; file < kFiles; ++file) {
      files_.push_back(folder_.path("events-" + std::to_string(file)));
      std::ofstream out{files_.back(), std::ios::binary};
      for (std::uint64_t sequence = 0; sequence < kEventsPerSource; ++sequence) {
        for (std::size_t source = file; source < kSources; source += kFiles) {
          out << events_.make(source, sequence).payload << '\n';
          checker_.expect(source, sequence);
        }
      }
    }
  }

  [[nodiscard]] std::vector<std::string> words() const {
    std::vector<std::string> words{"ingest",
                                   "--brokers",
                                   servers_.brokers(),
                                   "--topic",
                                   topic_,
                                   "--redis",
                                   servers_.redis_address(),
                                   "--checkpoint",
                                   state_,
                                   "--threads",
                                   "2",
                                   "--queue-events",
                                   std::to_string(kQueueEvents),
                                   "--wait-for-kafka",
                                   "--json",
                                   "--log-level",
                                   "error"};
    words.insert(words.end(), files_.begin(), files_.end());
    return words;
  }

  // Lines that the checkpoint has passed.
  [[nodiscard]] std::uint64_t passed() const {
    command::CheckpointState state;
    const std::optional<std::string> wrong =
        command::parse_checkpoint(folder_.read("state"), state);
    EXPECT_EQ(wrong, std::nullopt) << "a kill never leaves a file that is damaged";
    std::uint64_t lines = 0;
    for (const command::CheckpointEntry& entry : state.inputs) lines += entry.mark.next.line - 1;
    return lines;
  }

  // Whether it was still running.
  bool kill_after(milliseconds moment) {
    Program program{words()};
    std::this_thread::sleep_for(moment);  // tidy: allow(sleep) any moment is the fault
    program.send(SIGKILL);
    const ProgramEnd end = program.wait();
    EXPECT_TRUE(end.exit_code == 128 + SIGKILL || end.exit_code == 0) << end.errors;
    kills_ += end.exit_code == 0 ? 0 : 1;
    std::printf("  after %lld ms: %llu of %zu lines passed\n",
                static_cast<long long>(moment.count()), static_cast<unsigned long long>(passed()),
                checker_.size());
    return end.exit_code != 0;
  }

  void finish() {
    const ProgramEnd last = testing::run_program(words());
    ASSERT_EQ(last.exit_code, 0) << last.errors << last.output;
    EXPECT_EQ(passed(), checker_.size());
    const ProgramEnd again = testing::run_program(words());
    EXPECT_EQ(again.exit_code, 0) << again.errors;
    EXPECT_EQ(nlohmann::json::parse(again.output)["counters"]["offered"], 0);
  }

  void check(const testing::RedisSubscriber& subscriber) const {
    const std::vector<testing::Record> records = testing::read_topic(servers_.brokers(), topic_);
    const testing::CheckReport report = checker_.check(records);
    EXPECT_TRUE(report.ok_but_for_duplicates()) << report.text;
    EXPECT_LE(report.duplicates, kills_ * kRepeatsMax);
    const testing::NotificationsReport told =
        testing::check_notifications(subscriber.messages(), records);
    EXPECT_EQ(told.wrong, 0U) << told.text;
    EXPECT_GT(told.received, 0U);
    std::printf(
        "  %zu kills: %zu lost, %zu out of order, %zu repeated of at most %zu; %zu "
        "notifications, %zu of events that are not there\n",
        kills_, report.missing, report.out_of_order, report.duplicates, kills_ * kRepeatsMax,
        told.received, told.wrong);
  }

  testing::Servers servers_;
  const testing::TemporaryFolder folder_;
  const std::string state_ = folder_.path("state");
  const std::string topic_ = testing::unique_name("checkpoint");
  const testing::VerifyingEvents events_;
  testing::EventsChecker checker_{events_};
  std::vector<std::string> files_;
  std::size_t kills_ = 0;
};

TEST_F(CheckpointFaultTest, P3_KilledAtRandomMomentsAndStartedAgain) {
  const testing::RedisSubscriber subscriber{servers_.redis_address(), {.patterns = {"events:*"}}};
  std::mt19937_64 random{testing::fault_seed()};
  for (std::size_t kill = 0; kill < 5 * testing::fault_scale(); ++kill) {
    if (!kill_after(milliseconds{50 + random() % 600})) break;
  }
  EXPECT_GT(kills_, 0U);
  finish();
  check(subscriber);
}

TEST_F(CheckpointFaultTest, P3_KilledWhileKafkaIsDown) {
  const testing::RedisSubscriber subscriber{servers_.redis_address(), {.patterns = {"events:*"}}};
  std::mt19937_64 random{testing::fault_seed()};
  for (std::size_t round = 0; round < testing::fault_scale(); ++round) {
    {
      Program program{words()};
      const milliseconds moment{100 + random() % 400};
      std::this_thread::sleep_for(moment);  // tidy: allow(sleep) any moment is the fault
      servers_.kill("kafka");
      program.send(SIGKILL);
      kills_ += program.wait().exit_code == 0 ? 0 : 1;
    }
    // Twice more without a Kafka: nothing is acknowledged, so nothing is passed.
    const std::uint64_t before = passed();
    for (int kill = 0; kill < 2; ++kill) kill_after(milliseconds{100 + random() % 600});
    EXPECT_EQ(passed(), before);
    servers_.start("kafka");
  }
  EXPECT_GT(kills_, 2U);
  finish();
  check(subscriber);
}

}  // namespace
}  // namespace dualstream
