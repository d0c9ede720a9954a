#include "base/fork_guard.h"

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace dualstream::base {
namespace {

// 1 when `guard` sees that it is in a child, as a fork's exit code.
int seen_in_a_child(const ForkGuard& guard) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(guard.in_child() ? 1 : 0);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WEXITSTATUS(status);
}

TEST(ForkGuardTest, SaysSoInAChildAndNotInTheParent) {
  ASSERT_TRUE(ForkGuard::ok());
  const ForkGuard guard;
  EXPECT_FALSE(guard.in_child());
  EXPECT_EQ(seen_in_a_child(guard), 1);
  EXPECT_FALSE(guard.in_child());
}

TEST(ForkGuardTest, OneThatAChildMadeIsAtHomeThere) {
  const pid_t child = ::fork();
  if (child == 0) {
    const ForkGuard own;
    ::_exit(own.in_child() ? 1 : 10 + seen_in_a_child(own));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 11);
}

}  // namespace
}  // namespace dualstream::base
