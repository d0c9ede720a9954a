#include "support/engine_run.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "support/eventually.h"
#include "support/topic_reader.h"

namespace dualstream::testing {
namespace {

// Of all runs of the test that runs now.
void record(const std::string& name, std::uint64_t figure) {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return;
  static std::mutex mutex;
  const std::lock_guard lock{mutex};
  static const ::testing::TestInfo* of = nullptr;
  static std::map<std::string, std::uint64_t> figures;
  if (std::exchange(of, test) != test) figures.clear();
  figures[name] += figure;
  ::testing::Test::RecordProperty(name, std::to_string(figures[name]));
}

}  // namespace

Options EngineRun::options(const std::string& brokers, const std::string& topic,
                           const std::string& redis_address) {
  Options options;
  options.kafka.brokers = brokers;
  options.kafka.topic = topic;
  options.redis.address = redis_address;
  return options;
}

EngineRun::EngineRun(Options options, VerifyingEventsOptions events)
    : options_(std::move(options)),
      events_(std::move(events)),
      checker_(events_),
      failed_(static_cast<std::size_t>(Failure::stopped) + 1) {
  Options with_callbacks = options_;
  with_callbacks.on_outcomes = [this](std::span<const Outcome> outcomes) {
    take_outcomes(outcomes);
    if (options_.on_outcomes) options_.on_outcomes(outcomes);
  };
  with_callbacks.on_log = [this](const LogLine& line) {
    const std::lock_guard lock{mutex_};
    log_lines_.push_back(text_of(line));
  };
  if (const Status status = Engine::open(with_callbacks, engine_); !status.ok()) {
    throw std::runtime_error{status.message};
  }
}

EngineRun::~EngineRun() = default;

void EngineRun::take_outcomes(std::span<const Outcome> outcomes) {
  const std::lock_guard lock{mutex_};
  outcomes_ += outcomes.size();
  for (const Outcome& outcome : outcomes) {
    checker_.expect(outcome);
    if (outcome.kind != OutcomeKind::failed) continue;
    failed_[static_cast<std::size_t>(outcome.failure)] += 1;
    std::string why{name(outcome.failure)};
    why.append(", persisted: ").append(name(outcome.persisted)).append(": ");
    reasons_[why.append(outcome.detail)] += 1;
  }
}

LoadResult EngineRun::publish(const Load& load) {
  if (next_sequence_.size() < load.sources) next_sequence_.resize(load.sources);
  while (publishers_.size() < load.threads) publishers_.push_back(engine_->publisher());
  std::vector<LoadResult> results(load.threads);
  const auto run = [&](std::size_t thread) {
    LoadResult& result = results[thread];
    Publisher& publisher = publishers_[thread];
    for (std::size_t i = thread; i < load.events; i += load.threads) {
      // Sources are dealt out to threads, so that each has one writer.
      const std::size_t per_thread = std::max<std::size_t>(1, load.sources / load.threads);
      const std::size_t source = (i / load.threads % per_thread) * load.threads + thread;
      if (source >= load.sources) continue;
      const VerifyingEvent event = events_.make(source, next_sequence_[source]);
      const auto start = std::chrono::steady_clock::now();
      const PublishResult published = publisher.publish(event.view(), load.patience);
      result.slowest_publish = std::max<std::chrono::nanoseconds>(
          result.slowest_publish, std::chrono::steady_clock::now() - start);
      if (published == PublishResult::accepted) {
        next_sequence_[source] += 1;
        result.accepted += 1;
      } else if (published == PublishResult::full) {
        result.full += 1;
      } else {
        result.refused += 1;
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < load.threads; ++thread) threads.emplace_back(run, thread);
  for (std::thread& thread : threads) thread.join();
  LoadResult total;
  for (const LoadResult& result : results) {
    total.accepted += result.accepted;
    total.full += result.full;
    total.refused += result.refused;
    total.slowest_publish = std::max(total.slowest_publish, result.slowest_publish);
  }
  return total;
}

bool EngineRun::drained_within(std::chrono::milliseconds timeout) const {
  return eventually(timeout, [this] { return stats()[Counter::pending] == 0; });
}

Status EngineRun::stop(std::chrono::milliseconds deadline) {
  Status status = engine_->stop(deadline);
  const Stats stats = engine_->stats();
  EXPECT_TRUE(stats.balances());
  EXPECT_EQ(stats[Counter::pending], 0U);
  EXPECT_EQ(stats[Counter::pending_bytes], 0U);
  EXPECT_EQ(stats[Counter::pending_notifications], 0U);
  EXPECT_EQ(outcomes(), stats[Counter::accepted]) << "each accepted event has exactly one outcome";
  if (std::exchange(recorded_, true)) return status;
  record("accepted", stats[Counter::accepted]);
  record("delivered", stats[Counter::delivered]);
  record("failed", stats[Counter::failed]);
  record("rebuilds", stats[Counter::producer_rebuilds]);
  const std::lock_guard lock{mutex_};
  for (const auto& [reason, count] : reasons_) {
    std::printf("failed %zu: %s\n", count, reason.c_str());
  }
  if (!options_.redis.address.empty()) {
    record("dropped", stats.dropped());
    record("unconfirmed", stats[Counter::unconfirmed]);
  }
  return status;
}

CheckReport EngineRun::check_topic() const { return check_topic(options_.kafka.brokers); }

CheckReport EngineRun::check_topic(const std::string& brokers) const {
  return check_topic(read_topic(brokers, options_.kafka.topic));
}

CheckReport EngineRun::check_topic(const std::vector<Record>& records) const {
  const std::lock_guard lock{mutex_};
  CheckReport report = checker_.check(records);
  record("lost", report.missing);
  record("forbidden", report.forbidden);
  record("duplicates", report.duplicates);
  record("out_of_order", report.out_of_order);
  return report;
}

std::vector<std::string> EngineRun::log_lines() const {
  const std::lock_guard lock{mutex_};
  return log_lines_;
}

std::size_t EngineRun::log_lines_with(std::string_view text) const {
  const std::vector<std::string> lines = log_lines();
  return static_cast<std::size_t>(std::ranges::count_if(
      lines, [text](const std::string& line) { return line.find(text) != std::string::npos; }));
}

std::size_t EngineRun::failed(Failure failure) const {
  const std::lock_guard lock{mutex_};
  return failed_[static_cast<std::size_t>(failure)];
}

std::size_t EngineRun::outcomes() const {
  const std::lock_guard lock{mutex_};
  return outcomes_;
}

}  // namespace dualstream::testing
