// LoadPlan is what the options of `dualstream load` come to: who sends what, how fast and until
// when. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dualstream/status.h"
#include "load_report.h"
#include "resolve.h"
#include "sender.h"
#include "source_mix.h"

namespace dualstream::command {

struct LoadPlan {
  LoadLoop loop = LoadLoop::free;
  std::vector<SourceShare> shares;     // One for each thread.
  std::vector<SenderOptions> senders;  // The same.
};

// What has to hold of the options together; a sentence that names the option otherwise.
[[nodiscard]] Status check_load(const Configuration& configuration);

// The options have passed check_load(). An error if --verify could not tell so many events apart.
[[nodiscard]] Status make_plan(const Configuration& configuration, std::uint32_t run,
                               LoadPlan& plan);

// Name and text of each option of the load, without secrets and without where the results go.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> load_settings(
    const Configuration& configuration);

}  // namespace dualstream::command
