// A host program is killed in mid load: what it was told is delivered stands in Kafka, where it was
// told, and each source has a prefix of its events.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/fault_run.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"
#include "support/verifying_events.h"

namespace dualstream {
namespace {

constexpr std::size_t kSources = 500;
constexpr std::size_t kThreads = 4;

// An outcome as the child writes it down, before it does anything else.
struct Told {
  std::uint64_t tag = 0;
  std::int64_t offset = 0;
  std::int64_t partition = 0;
};

// The host program, until it is killed.
[[noreturn]] void publish_for_ever(const Options& base, const testing::VerifyingEvents& events,
                                   int out) {
  Options options = base;
  options.on_outcomes = [out](std::span<const Outcome> outcomes) {
    std::vector<Told> told;
    for (const Outcome& outcome : outcomes) {
      if (outcome.kind != OutcomeKind::delivered) continue;
      told.push_back(
          {.tag = outcome.tag, .offset = outcome.offset, .partition = outcome.partition});
    }
    // Whole as long as the test reads on; the last write may be cut short by the kill.
    const std::string_view bytes{reinterpret_cast<const char*>(told.data()),
                                 told.size() * sizeof(Told)};
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t size = ::write(out, bytes.data() + at, bytes.size() - at);
      if (size <= 0) ::_exit(3);
      at += static_cast<std::size_t>(size);
    }
  };
  std::unique_ptr<Engine> engine;
  if (!Engine::open(options, engine).ok()) ::_exit(1);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      Publisher publisher = engine->publisher();
      for (std::uint64_t sequence = 0;; ++sequence) {
        for (std::size_t source = thread; source < kSources; source += kThreads) {
          const testing::VerifyingEvent event = events.make(source, sequence);
          while (publisher.publish(event.view(), std::chrono::seconds{60}) !=
                 PublishResult::accepted) {
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ::_exit(2);
}

// What the child wrote until it was killed, which is when it had written `kill_at` of them.
std::vector<Told> read_until_killed(int in, pid_t child, std::size_t kill_at) {
  std::string bytes;
  std::array<char, 65'536> buffer{};
  bool killed = false;
  while (true) {
    const ssize_t size = ::read(in, buffer.data(), buffer.size());
    if (size <= 0) break;
    bytes.append(buffer.data(), static_cast<std::size_t>(size));
    if (!killed && bytes.size() >= kill_at * sizeof(Told)) {
      ::kill(child, SIGKILL);
      killed = true;
    }
  }
  std::vector<Told> told(bytes.size() / sizeof(Told));
  std::copy_n(bytes.data(), told.size() * sizeof(Told), reinterpret_cast<char*>(told.data()));
  return told;
}

class KillFaultTest : public ::testing::Test {
 protected:
  void round(std::uint64_t seed) {
    std::mt19937_64 random{seed};
    const std::string topic = testing::unique_name("kill");
    testing::create_topic(servers_.brokers(), topic);
    const testing::VerifyingEvents events{{.seed = seed}};
    const std::size_t kill_at = 1 + random() % 60'000;
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      publish_for_ever(
          testing::EngineRun::options(servers_.brokers(), topic, servers_.redis_address()), events,
          pipe[1]);
    }
    ::close(pipe[1]);
    const std::vector<Told> told = read_until_killed(pipe[0], child, kill_at);
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit code " << WEXITSTATUS(status);

    const std::vector<testing::Record> records = testing::read_topic(servers_.brokers(), topic);
    testing::EventsChecker checker{events};
    // What is there besides has to be of this run, and each source without a hole.
    std::vector<std::uint64_t> next(kSources);
    std::size_t holes = 0;
    for (const testing::Record& record : records) {
      const auto event = events.recognise(record.value.value_or(""));
      ASSERT_TRUE(event.has_value());
      holes += next[event->source] == event->sequence ? 0 : 1;
      next[event->source] = event->sequence + 1;
      checker.allow(event->source, event->sequence);
    }
    for (const Told& each : told) {
      checker.expect(testing::source_of(each.tag), testing::sequence_of(each.tag),
                     static_cast<std::int32_t>(each.partition), each.offset);
    }
    const testing::CheckReport report = checker.check(records);
    EXPECT_TRUE(report.ok()) << report.text;
    EXPECT_EQ(holes, 0U) << "a source lacks an event before a later one";
    EXPECT_GE(told.size(), kill_at);
    std::printf("  told of %zu, in Kafka %zu: %zu missing, %zu repeated, %zu out of order\n",
                told.size(), records.size(), report.missing, report.duplicates,
                report.out_of_order);
  }

  const testing::SharedServers servers_;
};

TEST_F(KillFaultTest, P2_WhatWasReportedDeliveredIsThere) {
  const std::uint64_t seed = testing::fault_seed();
  const std::size_t rounds = testing::fault_scale() > 1 ? 20 : 4;
  for (std::size_t at = 0; at < rounds && !HasFatalFailure(); ++at) {
    SCOPED_TRACE("seed " + std::to_string(seed + at));
    round(seed + at);
  }
}

}  // namespace
}  // namespace dualstream
