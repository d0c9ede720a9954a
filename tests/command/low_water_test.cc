#include "low_water.h"

#include <map>
#include <random>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

Fingerprint print_of(std::uint64_t line) { return {.begin = line, .size = 1, .hash = line * 7}; }

TEST(LowWaterTest, StandsBeforeTheFirstLineThatIsNotDoneWith) {
  LowWater water;
  for (const std::uint64_t end : {10U, 25U, 30U}) water.begin(end, {});
  water.settle(2);
  EXPECT_EQ(water.mark().next, (LinePosition{.line = 1, .offset = 0}));
  water.settle(1);
  EXPECT_EQ(water.mark().next, (LinePosition{.line = 3, .offset = 25}));
  water.settle(3);
  EXPECT_EQ(water.mark().next, (LinePosition{.line = 4, .offset = 30}));
  EXPECT_EQ(water.held(), 0U);
}

TEST(LowWaterTest, GoesOnFromWhereItIsTold) {
  LowWater water{{.next = {.line = 8, .offset = 100}, .before = print_of(7)}};
  EXPECT_EQ(water.next_line(), 8U);
  water.begin(120, print_of(8));
  EXPECT_EQ(water.mark().before, print_of(7));
  water.settle(8);
  EXPECT_EQ(water.mark(), (InputMark{.next = {.line = 9, .offset = 120}, .before = print_of(8)}));
}

TEST(LowWaterTest, RefusesLinesThatItDoesNotHold) {
  LowWater water;
  EXPECT_THROW(water.settle(1), std::out_of_range);
  water.begin(10, {});
  water.settle(1);
  EXPECT_THROW(water.settle(1), std::out_of_range);
  EXPECT_THROW(water.settle(0), std::out_of_range);
}

// The same by counting from the start, each time.
class NaiveTwin {
 public:
  explicit NaiveTwin(const InputMark& start) : start_(start), next_(start.next.line) {}

  void begin(std::uint64_t end, const Fingerprint& last) {
    lines_[next_++] = {.end = end, .last = last};
  }
  void settle(std::uint64_t line) { lines_[line].settled = true; }

  [[nodiscard]] InputMark mark() const {
    InputMark mark = start_;
    for (const auto& [line, begun] : lines_) {
      if (!begun.settled) break;
      mark = {.next = {.line = line + 1, .offset = begun.end}, .before = begun.last};
    }
    return mark;
  }
  // Of those that are begun and not settled, the one at place `at`.
  [[nodiscard]] std::vector<std::uint64_t> open() const {
    std::vector<std::uint64_t> open;
    for (const auto& [line, begun] : lines_) {
      if (!begun.settled) open.push_back(line);
    }
    return open;
  }

 private:
  struct Begun {
    std::uint64_t end = 0;
    Fingerprint last;
    bool settled = false;
  };
  const InputMark start_;
  std::uint64_t next_;
  std::map<std::uint64_t, Begun> lines_;
};

TEST(LowWaterTest, DoesWhatTheNaiveTwinDoesUnderRandomOperations) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  for (int round = 0; round < 200; ++round) {
    const InputMark start{.next = {.line = 1 + random() % 1'000, .offset = random() % 1'000'000},
                          .before = print_of(random())};
    LowWater water{start};
    NaiveTwin twin{start};
    std::uint64_t end = start.next.offset;
    // Some rounds mostly begin, some mostly settle, some settle nearly in order.
    const std::uint64_t begin_share = 30 + random() % 60;
    const std::size_t reach = 1 + random() % 50;
    for (int step = 0; step < 300; ++step) {
      const std::vector<std::uint64_t> open = twin.open();
      if (open.empty() || random() % 100 < begin_share) {
        end += 1 + random() % 500;
        const Fingerprint last = print_of(random());
        water.begin(end, last);
        twin.begin(end, last);
      } else {
        const std::uint64_t line = open[random() % std::min(open.size(), reach)];
        water.settle(line);
        twin.settle(line);
      }
      ASSERT_EQ(water.mark(), twin.mark()) << "round " << round << ", step " << step;
      ASSERT_EQ(water.next_line(), water.mark().next.line + water.held());
    }
  }
}

}  // namespace
}  // namespace dualstream::command
