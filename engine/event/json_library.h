// The one place that names simdjson. Its DOM parser, not On-Demand: that one does not look at what
// it skips.
#pragma once

#include <simdjson.h>
