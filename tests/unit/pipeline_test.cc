#include "redis/pipeline.h"

#include <deque>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace dualstream::redis {
namespace {

using namespace std::chrono_literals;

Reply integer(std::int64_t value) {
  return {.kind = ReplyKind::integer, .integer = value, .text = {}};
}
Reply status(std::string text) { return {.kind = ReplyKind::status, .text = std::move(text)}; }
Reply error(std::string text) { return {.kind = ReplyKind::error, .text = std::move(text)}; }

Written frame(std::uint32_t events, base::TimePoint at = {}) {
  return {.command = Command::publish, .at = at, .channel = {}, .events = events, .missed = 0};
}
Written greeting(Command command) {
  return {.command = command, .at = {}, .channel = {}, .events = 0, .missed = 0};
}

TEST(PipelineTest, MatchesTheGreetingAndThenTheFramesInOrder) {
  Pipeline pipeline{8};
  pipeline.wrote(greeting(Command::auth));
  pipeline.wrote(greeting(Command::set_name));
  pipeline.wrote(greeting(Command::ping));
  for (const auto& [command, reply] : {std::pair{Command::auth, status("OK")},
                                       {Command::set_name, status("OK")},
                                       {Command::ping, status("PONG")}}) {
    const auto answered = pipeline.match(reply);
    ASSERT_TRUE(answered);
    EXPECT_EQ(answered->written.command, command);
    EXPECT_EQ(answered->answer, Answer::done);
  }
  pipeline.wrote(frame(1));
  pipeline.wrote(frame(12));
  EXPECT_EQ(pipeline.events(), 13U);
  EXPECT_EQ(pipeline.match(integer(0))->written.events, 1U);
  EXPECT_EQ(pipeline.match(integer(3))->written.events, 12U);
  EXPECT_FALSE(pipeline.match(integer(1))) << "a reply that nothing was asked for";
}

TEST(PipelineTest, KnowsWhatAReplyMeans) {
  EXPECT_EQ(answer_of(Command::publish, integer(0)), Answer::done);
  EXPECT_EQ(answer_of(Command::publish, integer(-1)), Answer::broken);
  EXPECT_EQ(answer_of(Command::publish, status("OK")), Answer::broken);
  EXPECT_EQ(answer_of(Command::publish, status("PONG")), Answer::broken);
  EXPECT_EQ(answer_of(Command::publish, error("NOPERM no")), Answer::refused);
  EXPECT_EQ(answer_of(Command::publish, error("NOAUTH no")), Answer::refused);
  EXPECT_EQ(answer_of(Command::publish, error("BUSY a script")), Answer::error);
  EXPECT_EQ(answer_of(Command::publish, error("LOADING")), Answer::error);
  EXPECT_EQ(answer_of(Command::publish, error("OOM")), Answer::error);
  EXPECT_EQ(answer_of(Command::ping, status("PONG")), Answer::done);
  EXPECT_EQ(answer_of(Command::ping, integer(1)), Answer::broken);
  EXPECT_EQ(answer_of(Command::ping, status("OK")), Answer::broken);
  EXPECT_EQ(answer_of(Command::ping, error("LOADING")), Answer::error);
  EXPECT_EQ(answer_of(Command::set_name, error("ERR max number of clients reached")),
            Answer::refused);
  EXPECT_EQ(answer_of(Command::set_name, error("DENIED protected mode")), Answer::refused);
  EXPECT_EQ(answer_of(Command::set_name, error("ERR unknown command")), Answer::error);
  EXPECT_EQ(answer_of(Command::auth, error("ERR invalid")), Answer::refused);
  EXPECT_EQ(answer_of(Command::auth, error("WRONGPASS")), Answer::refused);
}

TEST(PipelineTest, IsFullAtItsBoundAndKnowsItsOldest) {
  Pipeline pipeline{4};
  EXPECT_EQ(pipeline.oldest_written_at(), base::kNever);
  for (int i = 1; i <= 4; ++i) {
    EXPECT_FALSE(pipeline.window_full());
    pipeline.wrote(frame(1, base::TimePoint{} + i * 1ms));
  }
  EXPECT_TRUE(pipeline.window_full());
  EXPECT_EQ(pipeline.oldest_written_at(), base::TimePoint{} + 1ms);
  EXPECT_TRUE(pipeline.match(integer(0)));
  EXPECT_FALSE(pipeline.window_full());
  EXPECT_EQ(pipeline.oldest_written_at(), base::TimePoint{} + 2ms);
}

TEST(PipelineTest, HasRoomForTheGreetingHoweverSmallTheWindow) {
  Pipeline pipeline{1};
  for (const Command command : {Command::auth, Command::set_name, Command::ping}) {
    ASSERT_FALSE(pipeline.window_full());
    pipeline.wrote(greeting(command));
  }
}

TEST(PipelineModelTest, GivesEveryReplyToTheFrameAtItsPlace) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    const std::size_t window = 3 + random() % 20;
    Pipeline pipeline{window};
    std::deque<std::uint32_t> naive;
    std::uint64_t events = 0;
    std::uint32_t next = 1;
    for (int step = 0; step < 2'000; ++step) {
      const std::uint64_t action = random() % 100;
      if (action < 50 && naive.size() < window) {
        pipeline.wrote(frame(next));
        naive.push_back(next);
        events += next++;
      } else if (action < 98) {
        const auto answered = pipeline.match(random() % 2 == 0 ? integer(1) : error("BUSY"));
        ASSERT_EQ(answered.has_value(), !naive.empty());
        if (!answered) continue;
        ASSERT_EQ(answered->written.events, naive.front());
        events -= naive.front();
        naive.pop_front();
      } else {
        while (const auto lost = pipeline.take_unanswered()) {
          ASSERT_EQ(lost->events, naive.front());
          events -= naive.front();
          naive.pop_front();
        }
        ASSERT_TRUE(naive.empty());
      }
      ASSERT_EQ(pipeline.size(), naive.size());
      ASSERT_EQ(pipeline.events(), events);
      ASSERT_EQ(pipeline.window_full(), naive.size() == window);
    }
  }
}

}  // namespace
}  // namespace dualstream::redis
