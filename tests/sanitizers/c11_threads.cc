// C11 threads on top of POSIX threads, for TSan builds: every executable has them linked in.
//
// TSan watches pthread_*, not the thrd_*, mtx_* and cnd_* of <threads.h>, on which Debian's
// librdkafka is built. A thread that TSan did not see start crashes in it, and a lock that it did
// not see taken makes it report races that are none. glibc's mtx_t and cnd_t are the POSIX types
// under another name, so these functions take them as what they are; <threads.h> itself is left
// out, because its declarations differ from one glibc to the next.
#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <memory>

namespace {

// The values of glibc's <threads.h>.
constexpr int kThrdSuccess = 0;
constexpr int kThrdBusy = 1;
constexpr int kThrdError = 2;
constexpr int kThrdNoMemory = 3;
constexpr int kThrdTimedOut = 4;
constexpr int kMutexRecursive = 1;

int c11(int error) {
  switch (error) {
    case 0:
      return kThrdSuccess;
    case EBUSY:
      return kThrdBusy;
    case ENOMEM:
      return kThrdNoMemory;
    case ETIMEDOUT:
      return kThrdTimedOut;
    default:
      return kThrdError;
  }
}

struct Start {
  int (*function)(void*);
  void* argument;
};

void* run(void* start) {
  const std::unique_ptr<Start> owned{static_cast<Start*>(start)};
  const std::intptr_t result = owned->function(owned->argument);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): nobody reads through it.
  return reinterpret_cast<void*>(result);
}

}  // namespace

extern "C" {

int thrd_create(pthread_t* thread, int (*function)(void*), void* argument) {
  auto start = std::make_unique<Start>(Start{function, argument});
  const int error = pthread_create(thread, nullptr, run, start.get());
  if (error == 0) static_cast<void>(start.release());
  return c11(error);
}

int thrd_join(pthread_t thread, int* result) {
  void* returned = nullptr;
  const int error = pthread_join(thread, &returned);
  if (error == 0 && result != nullptr) {
    *result = static_cast<int>(reinterpret_cast<std::intptr_t>(returned));
  }
  return c11(error);
}

int mtx_init(pthread_mutex_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if ((type & kMutexRecursive) != 0) {
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  }
  const int error = pthread_mutex_init(mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return c11(error);
}
void mtx_destroy(pthread_mutex_t* mutex) { pthread_mutex_destroy(mutex); }
int mtx_lock(pthread_mutex_t* mutex) { return c11(pthread_mutex_lock(mutex)); }
int mtx_trylock(pthread_mutex_t* mutex) { return c11(pthread_mutex_trylock(mutex)); }
int mtx_unlock(pthread_mutex_t* mutex) { return c11(pthread_mutex_unlock(mutex)); }

int cnd_init(pthread_cond_t* condition) { return c11(pthread_cond_init(condition, nullptr)); }
void cnd_destroy(pthread_cond_t* condition) { pthread_cond_destroy(condition); }
int cnd_signal(pthread_cond_t* condition) { return c11(pthread_cond_signal(condition)); }
int cnd_broadcast(pthread_cond_t* condition) { return c11(pthread_cond_broadcast(condition)); }
int cnd_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  return c11(pthread_cond_wait(condition, mutex));
}
int cnd_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* until) {
  return c11(pthread_cond_timedwait(condition, mutex, until));
}

}  // extern "C"
