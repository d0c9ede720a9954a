// What a shared library of dualstream shows; everything else in it is hidden.
#pragma once

#if defined(__GNUC__)
#define DUALSTREAM_EXPORT __attribute__((visibility("default")))
#else
#define DUALSTREAM_EXPORT
#endif
