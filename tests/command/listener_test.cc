#include "load/listener.h"

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

TEST(ListenerTest, ListensToEveryChannelOfATemplateAndNoOther) {
  EXPECT_EQ(pattern_of("events:{source_type}:{source_id}"), "events:load:*");
  EXPECT_EQ(pattern_of("all:{source_type}"), "all:load");
  EXPECT_EQ(pattern_of("{source_type}.{bucket}.x"), "load.*.x");
  EXPECT_EQ(pattern_of("a*b?c[d]e\\{source_type}"), "a\\*b\\?c\\[d\\]e\\\\load");
  EXPECT_EQ(pattern_of("open{source_type"), "open{source_type");
}

}  // namespace
}  // namespace dualstream::command
