#include "redis/pointer_table.h"

#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

namespace dualstream::redis {
namespace {

struct Object {
  std::size_t number = 0;
};

Object* find(const PointerTable<Object>& table, std::size_t hash, std::size_t number) {
  return table.find(hash, [number](const Object& object) { return object.number == number; });
}

TEST(PointerTableTest, IsEmptyAtFirst) {
  PointerTable<Object> table;
  EXPECT_EQ(find(table, 1, 1), nullptr);
  EXPECT_EQ(table.size(), 0U);
}

TEST(PointerTableTest, TellsApartWhatHashesAlike) {
  PointerTable<Object> table;
  std::vector<Object> objects(40);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    objects[i].number = i;
    table.make_room();
    table.insert(63, objects[i]);
  }
  for (std::size_t i = 0; i < objects.size(); i += 2) table.erase(63, objects[i]);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    EXPECT_EQ(find(table, 63, i), i % 2 == 0 ? nullptr : &objects[i]);
  }
}

TEST(PointerTableModelTest, FindsWhatAMapFinds) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    PointerTable<Object> table;
    std::vector<Object> objects(300);
    std::unordered_map<std::size_t, Object*> naive;
    // Few different hashes, and those at the table's end, so that runs collide and wrap around.
    const auto hash_of = [seed](std::size_t number) { return ~(number * seed % 97); };
    for (int step = 0; step < 10'000; ++step) {
      const std::size_t number = random() % objects.size();
      const std::size_t hash = hash_of(number);
      if (random() % 2 == 0) {
        if (!naive.contains(number)) {
          objects[number].number = number;
          table.make_room();
          table.insert(hash, objects[number]);
          naive[number] = &objects[number];
        }
      } else if (naive.erase(number) > 0) {
        table.erase(hash, objects[number]);
      }
      ASSERT_EQ(table.size(), naive.size());
      const std::size_t asked = random() % objects.size();
      const auto known = naive.find(asked);
      ASSERT_EQ(find(table, hash_of(asked), asked), known == naive.end() ? nullptr : known->second);
    }
  }
}

}  // namespace
}  // namespace dualstream::redis
