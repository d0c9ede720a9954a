// The system refuses memory and threads, at each place in turn: open() says so, publish() refuses,
// and what was accepted is delivered.
//
// malloc, aligned_alloc, operator new, pthread_create and thrd_create of this program are ours.
// They fail on the calling thread only, and only between Refusing and its end.
#include <dlfcn.h>
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "support/engine_run.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/topic_reader.h"

namespace {

// Counts down to the first refusal; then `once` or all that follow are refused.
struct Refusals {
  long calls_left = -1;  // -1: none is refused.
  bool once = true;
  long refused = 0;

  bool refuse() {
    if (calls_left < 0) return false;
    if (calls_left > 0) {
      calls_left -= 1;
      return false;
    }
    refused += 1;
    if (once) calls_left = -1;
    return true;
  }
};
thread_local constinit Refusals malloc_refusals;
thread_local constinit Refusals new_refusals;
thread_local constinit Refusals thread_refusals;

// Refuses the call after the next `n`, and perhaps all later ones, until it goes.
class Refusing {
 public:
  Refusing(Refusals& refusals, long n, bool once) : refusals_(refusals) {
    refusals_ = {n, once, 0};
  }
  ~Refusing() { refusals_.calls_left = -1; }
  Refusing(const Refusing&) = delete;
  Refusing& operator=(const Refusing&) = delete;

  // Whether it came to a refusal.
  [[nodiscard]] bool refused() const { return refusals_.refused > 0; }

 private:
  Refusals& refusals_;
};

}  // namespace

extern "C" {

// glibc's own, under its other name.
// NOLINTNEXTLINE(readability-identifier-naming): glibc's to choose.
void* __libc_malloc(std::size_t size);
// NOLINTNEXTLINE(readability-identifier-naming): glibc's to choose.
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  if (malloc_refusals.refuse()) {
    errno = ENOMEM;
    return nullptr;
  }
  return __libc_malloc(size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
  if (malloc_refusals.refuse()) {
    errno = ENOMEM;
    return nullptr;
  }
  return __libc_memalign(alignment, size);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto real = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
  return thread_refusals.refuse() ? EAGAIN : real(thread, attributes, run, argument);
}

// librdkafka's, where it was built with C11 threads.
int thrd_create(thrd_t* thread, thrd_start_t run, void* argument) {
  using Create = int (*)(thrd_t*, thrd_start_t, void*);
  static const auto real = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "thrd_create"));
  return thread_refusals.refuse() ? thrd_nomem : real(thread, run, argument);
}

}  // extern "C"

void* operator new(std::size_t size) {
  void* block = new_refusals.refuse() ? nullptr : __libc_malloc(size);
  if (block == nullptr) throw std::bad_alloc{};
  return block;
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace dualstream {
namespace {

using std::chrono::seconds;
using testing::EngineRun;

class OutOfMemoryFaultTest : public ::testing::Test {
 protected:
  OutOfMemoryFaultTest() { testing::create_topic(servers_.brokers(), topic_); }

  Options options() {
    Options options = EngineRun::options(servers_.brokers(), topic_, servers_.redis_address());
    options.on_log = [](const LogLine&) {};
    return options;
  }

  // Opens with the n-th call refused, for every n until it comes to no refusal any more. Returns
  // how many.
  int open_with_every(Refusals& refusals, bool once) {
    for (int n = 0; n < 10'000; ++n) {
      Options ours = options();
      std::unique_ptr<Engine> engine;
      bool refused = false;
      Status status;
      {
        const Refusing refusing{refusals, n, once};
        status = Engine::open(std::move(ours), engine);
        refused = refusing.refused();
      }
      EXPECT_EQ(status.ok(), engine != nullptr);
      if (!status.ok()) {
        EXPECT_EQ(status.code, StatusCode::exhausted) << status.message;
        EXPECT_TRUE(refused) << status.message;
      }
      if (engine) {
        // A refusal that it could do without; then it has to be whole.
        Publisher publisher = engine->publisher();
        EXPECT_EQ(
            publisher.publish(
                {.id = "1", .type = "T", .source_type = "s", .source_id = "x", .payload = "{}"}),
            PublishResult::accepted);
        EXPECT_TRUE(engine->stop(seconds{10}).ok()) << "at " << n;
        EXPECT_EQ(engine->stats()[Counter::delivered], 1U);
        delivered_ += 1;
      }
      if (!refused || HasFailure()) return n;
    }
    return -1;
  }

  const testing::SharedServers servers_;
  const std::string topic_ = testing::unique_name("out-of-memory");
  std::size_t delivered_ = 0;
};

TEST_F(OutOfMemoryFaultTest, P10_OpenSaysSoWhicheverThreadIsRefused) {
  for (const bool once : {true, false}) {
    const int refusals = open_with_every(thread_refusals, once);
    EXPECT_GE(refusals, 4) << "librdkafka's, ds-topic, ds-redis, ds-kafka";
    std::printf("%d threads refused in turn\n", refusals);
  }
  EXPECT_EQ(testing::read_topic(servers_.brokers(), topic_).size(), delivered_);
}

TEST_F(OutOfMemoryFaultTest, P10_OpenSaysSoWhicheverAllocationOfOursIsRefused) {
  for (const bool once : {true, false}) {
    const int refusals = open_with_every(new_refusals, once);
    EXPECT_GE(refusals, 20);
    std::printf("%d allocations refused in turn\n", refusals);
  }
  EXPECT_EQ(testing::read_topic(servers_.brokers(), topic_).size(), delivered_);
}

TEST_F(OutOfMemoryFaultTest, P10_PublishRefusesAndWhatWasAcceptedIsDelivered) {
  std::unique_ptr<Engine> engine;
  ASSERT_TRUE(Engine::open(options(), engine).ok());
  std::size_t accepted = 0;
  std::size_t full = 0;
  {
    Publisher publisher = engine->publisher();
    const std::string line =
        R"({"id":1,"type":"T","repo":{"name":"a/b"},"payload":{"list":[1,2,3]}})";
    const std::string smaller(3'000, 'x');
    const std::string larger(5'000, 'x');
    for (Refusals* refusals : {&malloc_refusals, &new_refusals}) {
      for (long n = 0; n < 3'000; ++n) {
        // The smaller ones are cut from chunks, the larger ones come from malloc().
        const EventView event{.id = "1",
                              .type = "T",
                              .source_type = "s",
                              .source_id = "x",
                              .payload = n % 4 < 2 ? smaller : larger};
        PublishResult result{};
        {
          const Refusing refusing{*refusals, n % 3, n % 2 == 0};
          result = n % 5 == 0 ? publisher.publish_json(line) : publisher.publish(event);
        }
        accepted += result == PublishResult::accepted ? 1 : 0;
        full += result == PublishResult::full ? 1 : 0;
      }
    }
    EXPECT_EQ(accepted + full, 6'000U);
    EXPECT_GT(full, 300U);
    EXPECT_GT(accepted, 500U);
    // One that waits for an answer needs memory for it before it publishes anything.
    const EventView event{.id = "1", .type = "T", .source_type = "s", .source_id = "x"};
    Outcome outcome;
    Status status;
    {
      const Refusing refusing{new_refusals, 0, true};
      status = publisher.publish_and_wait({&event, 1}, seconds{10}, std::span{&outcome, 1});
    }
    EXPECT_EQ(status.code, StatusCode::exhausted);
    {
      const Refusing refusing{new_refusals, 0, false};
      EXPECT_THROW(static_cast<void>(engine->publisher()), std::bad_alloc);
    }
    EXPECT_TRUE(publisher.publish_and_wait({&event, 1}, seconds{10}, std::span{&outcome, 1}).ok());
  }
  EXPECT_TRUE(engine->stop(seconds{10}).ok());
  const Stats stats = engine->stats();
  EXPECT_EQ(stats[Counter::delivered], accepted + 1);
  EXPECT_EQ(stats[Counter::refused_full], full);
  EXPECT_TRUE(stats.balances());
  EXPECT_EQ(testing::read_topic(servers_.brokers(), topic_).size(), accepted + 1);
}

}  // namespace
}  // namespace dualstream
