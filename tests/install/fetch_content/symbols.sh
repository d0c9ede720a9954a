#!/bin/sh
# symbols.sh LIBRARY: fails when it shows more than the public API, or less.
shown=$(nm --dynamic --defined-only --demangle "$1") || exit 1
if echo "$shown" | grep -E ' [TWVBDR] (vtable for |typeinfo for )?dualstream::(base|event|kafka|redis|subscriber)::'; then
  echo "$1 shows its inside"
  exit 1
fi
for name in Engine::open Publisher::publish Subscriber::open History::open prometheus_text memory_bytes_max; do
  echo "$shown" | grep -q "T dualstream::$name" || { echo "$1 does not show dualstream::$name"; exit 1; }
done
