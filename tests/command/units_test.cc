#include "units.h"

#include <gtest/gtest.h>

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;

TEST(UnitsTest, ReadsDurationsWithTheirUnit) {
  EXPECT_EQ(parse_duration("250ms"), milliseconds{250});
  EXPECT_EQ(parse_duration("5s"), milliseconds{5'000});
  EXPECT_EQ(parse_duration("2m"), milliseconds{120'000});
  EXPECT_EQ(parse_duration("1h"), milliseconds{3'600'000});
  EXPECT_EQ(parse_duration("0"), milliseconds{0});
}

TEST(UnitsTest, RefusesDurationsThatCouldMeanTwoThings) {
  for (const char* text : {"", "5", "s", "-5s", "5 s", "5S", "1.5s", "5sec", "5s5s", "99999999999h",
                           "18446744073709551616ms"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(UnitsTest, ShowsDurationsInTheLargestUnitThatStaysWhole) {
  for (const char* text : {"0ms", "250ms", "5s", "90s", "2m", "1h", "1500ms"}) {
    EXPECT_EQ(duration_text(parse_duration(text).value()), text);
  }
  EXPECT_EQ(duration_text(milliseconds{120'000}), "2m");
}

TEST(UnitsTest, ReadsSizesInBytesThousandsAnd1024s) {
  EXPECT_EQ(parse_bytes("65536"), 65'536U);
  EXPECT_EQ(parse_bytes("7B"), 7U);
  EXPECT_EQ(parse_bytes("64KiB"), 65'536U);
  EXPECT_EQ(parse_bytes("1mib"), 1'048'576U);
  EXPECT_EQ(parse_bytes("2GiB"), 2'147'483'648U);
  EXPECT_EQ(parse_bytes("1MB"), 1'000'000U);
  for (const char* text : {"", "KiB", "-1", "1.5MiB", "1 MiB", "1K", "99999999999GiB"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

TEST(UnitsTest, ShowsSizesSoThatTheyAreReadBack) {
  for (const char* text : {"0", "999000", "64KiB", "1MiB", "3GiB"}) {
    EXPECT_EQ(bytes_text(parse_bytes(text).value()), text);
  }
}

TEST(UnitsTest, RoundsSizesForPeople) {
  EXPECT_EQ(about_bytes_text(0), "0 B");
  EXPECT_EQ(about_bytes_text(999), "999 B");
  EXPECT_EQ(about_bytes_text(2'122'300), "2.1 MB");
  EXPECT_EQ(about_bytes_text(999'990), "1.0 MB");
}

TEST(UnitsTest, GroupsThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'022), "1,022");
  EXPECT_EQ(grouped(12'345'678), "12,345,678");
}

TEST(UnitsTest, ReadsCountsOfDigitsOnly) {
  EXPECT_EQ(parse_count("262144"), 262'144U);
  for (const char* text : {"", "-1", "1e3", "0x10", "1 ", "18446744073709551616"}) {
    EXPECT_EQ(parse_count(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace dualstream::command
