// The options and suppressions of the sanitizers, built in: no environment variable has to be set.
//
// What ASAN_OPTIONS, TSAN_OPTIONS and UBSAN_OPTIONS say still wins. Every suppression has its
// reason, and there are no others: a report is a bug until it is shown to be none.

// The sanitizers look for these names.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

const char* __asan_default_options() {
  return "detect_stack_use_after_return=1:check_initialization_order=1:strict_init_order=1:"
         "strict_string_checks=1";
}

const char* __ubsan_default_options() { return "print_stacktrace=1"; }

// The longest history: a report whose second stack is forgotten cannot be told from a known one.
const char* __tsan_default_options() {
  return "halt_on_error=1:second_deadlock_stack=1:history_size=7";
}

const char* __tsan_default_suppressions() {
  return
      // librdkafka counts references with atomics, and TSan does not see into it: the last owner,
      // which destroys the lock of a partition or a broker, seems to race with those before. The
      // engine has no such locks itself, and what it hands to librdkafka is still watched.
      "race:pthread_rwlock_destroy\n"
      // The same for the buffer of a fetch: whichever thread gives back its last message frees it,
      // here seemingly while another one still copied out of the message that it gave back before.
      "race:librdkafka_reader.cc\n"
      // Seen once, when a topic is not there: its main thread compares a short string of its own
      // that its broker's thread frees, whichever way that is ordered. Nobody else here calls
      // strcmp().
      "race:strcmp$\n";  // Its frame may be called __interceptor_strcmp.
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
