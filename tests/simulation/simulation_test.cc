// The whole engine but its threads and its clients, in many short lives, each from a seed.
//
// DUALSTREAM_SIMULATION_SEED=n lives that one life; `random` starts anywhere.
// DUALSTREAM_SIMULATION_STEPS=n ends after so many steps (5,000,000).
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "simulation/life.h"

namespace dualstream::simulation {
namespace {

constexpr std::uint64_t kStepsAtLeast = 5'000'000;
// A life takes milliseconds; an engine that has lost an event may wait for it for ever.
constexpr unsigned kSecondsPerLife = 60;

std::string from_environment(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables in a test.
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// A CHECK of the engine ends the program: the seed has to be said all the same.
std::array<char, 64> seed_line;  // NOLINT(misc-use-anonymous-namespace)

void say_seed(int signal) {
  const auto written =
      write(STDERR_FILENO, seed_line.data(), std::string_view{seed_line.data()}.size());
  static_cast<void>(written);
  std::signal(signal, SIG_DFL);
  static_cast<void>(raise(signal));
}

void remember_seed(std::uint64_t seed) {
  std::snprintf(seed_line.data(), seed_line.size(), "DUALSTREAM_SIMULATION_SEED=%llu\n",
                static_cast<unsigned long long>(seed));
}

TEST(SimulationTest, KeepsLedgerOrderAndBoundsThroughRandomFaults) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGALRM}) std::signal(signal, say_seed);
  const std::string seed_text = from_environment("DUALSTREAM_SIMULATION_SEED");
  const std::string steps_text = from_environment("DUALSTREAM_SIMULATION_STEPS");
  const bool one_life = !seed_text.empty() && seed_text != "random";
  std::uint64_t seed = one_life ? std::stoull(seed_text) : 1;
  if (seed_text == "random") seed = std::uint64_t{std::random_device{}()} << 20;
  const std::uint64_t steps = steps_text.empty() ? kStepsAtLeast : std::stoull(steps_text);
  std::cout << "from DUALSTREAM_SIMULATION_SEED=" << seed << " on\n";

  const auto began = std::chrono::steady_clock::now();
  Life::Tally tally;
  std::uint64_t lives = 0;
  do {
    remember_seed(seed);
    alarm(kSecondsPerLife);
    Life life{seed++};
    const bool held = life.live();
    life.add_to(tally);
    lives += 1;
    ASSERT_TRUE(held) << life.broken();
  } while (!one_life && tally.steps < steps);
  alarm(0);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;

  std::cout << lives << " lives, " << tally.steps << " steps in " << took.count()
            << " s: " << tally.delivered << " delivered, " << tally.failed << " failed, "
            << tally.refused_full << " refused as full, " << tally.retried_batches
            << " batches retried, " << tally.rebuilds << " clients rebuilt; " << tally.notified
            << " notified, " << tally.dropped << " dropped, " << tally.unconfirmed
            << " unconfirmed, " << tally.disconnects << " disconnects, " << tally.gaps_seen
            << " gaps told; " << tally.calm_ends << " lives ended calmly\n";
  if (one_life) return;
  // A simulation in which nothing happens shows nothing.
  for (const std::uint64_t happened :
       {tally.delivered, tally.failed, tally.refused_full, tally.retried_batches, tally.rebuilds,
        tally.notified, tally.dropped, tally.unconfirmed, tally.disconnects, tally.gaps_seen,
        tally.calm_ends}) {
    EXPECT_GT(happened, 0U);
  }
}

}  // namespace
}  // namespace dualstream::simulation
