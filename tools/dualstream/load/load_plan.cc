#include "load_plan.h"

#include <algorithm>

#include "option_table.h"
#include "payloads.h"
#include "secrets.h"
#include "text.h"
#include "units.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::uint64_t kRateMax = 100'000'000;
constexpr std::size_t kSourcesMax = 10'000'000;
constexpr double kZipfMax = 10;

Status wrong(std::string message) {
  return Status::error(StatusCode::invalid_options, std::move(message));
}

bool is_given(const Configuration& configuration, std::string_view name) {
  return configuration.origins[*find_option(name)].source != Source::standard;
}

// Whether the clock ends the run.
bool ends_by_time(const Configuration& configuration) {
  return !configuration.settings.load.events || is_given(configuration, "duration");
}

Status check_loop(const LoadSettings& load) {
  if (load.rate && (*load.rate < 1 || *load.rate > kRateMax)) {
    return wrong(concat({"--rate is ", std::to_string(*load.rate), ", and has to be 1 to ",
                         std::to_string(kRateMax), ", or unlimited"}));
  }
  if (load.in_flight && *load.in_flight < 1) {
    return wrong("--in-flight is 0: then nothing could be sent");
  }
  if (load.in_flight && load.rate) {
    return wrong(
        "--in-flight and --rate exclude each other: with a rate an event is sent when it is due, "
        "whatever became of those before (an open loop); the other waits for answers (a closed "
        "one)");
  }
  if (load.ramp.count() > 0 && !load.rate) {
    return wrong("--ramp needs a --rate that it leads to");
  }
  return {};
}

Status check_events(const Configuration& configuration) {
  const LoadSettings& load = configuration.settings.load;
  if (load.payload_bytes < kPayloadBytesMin && load.payload_file.empty()) {
    return wrong(concat({"--size is ", std::to_string(load.payload_bytes), ", and has to be ",
                         std::to_string(kPayloadBytesMin),
                         " at least: what an event is verified by has to go in"}));
  }
  if (!load.payload_file.empty() && is_given(configuration, "size")) {
    return wrong("--size and --payload-file exclude each other");
  }
  if (load.sources < 1 || load.sources > kSourcesMax) {
    return wrong(concat({"--sources is ", std::to_string(load.sources), ", and has to be 1 to ",
                         std::to_string(kSourcesMax)}));
  }
  if (configuration.settings.threads > load.sources) {
    return wrong("--threads is more than --sources; each source has one thread, for its order");
  }
  if (load.zipf > kZipfMax) return wrong("--zipf is more than 10: nearly all is of one source");
  return {};
}

Status check_measuring(const Settings& settings) {
  const LoadSettings& load = settings.load;
  if (load.subscribe && settings.engine.redis.address.empty()) {
    return wrong("--subscribe needs --redis: there is nothing to listen to");
  }
  if (load.json_file == "-" && load.csv_file == "-") {
    return wrong("--json - and --csv - exclude each other: there is one stdout");
  }
  const auto& properties = settings.engine.kafka.properties;
  const bool mock = std::any_of(properties.begin(), properties.end(), [](const auto& property) {
    return property.first == "test.mock.num.brokers";
  });
  if (load.verify && mock) {
    return wrong("--verify needs a real Kafka: a mock cluster is seen by one client only");
  }
  return {};
}

}  // namespace

Status check_load(const Configuration& configuration) {
  const LoadSettings& load = configuration.settings.load;
  if (load.events && *load.events < 1) return wrong("--events is 0: there is nothing to do");
  if (ends_by_time(configuration) && load.duration.count() < 1) {
    return wrong("--duration is 0: there is nothing to do");
  }
  if (Status status = check_loop(load); !status.ok()) return status;
  if (Status status = check_events(configuration); !status.ok()) return status;
  return check_measuring(configuration.settings);
}

Status make_plan(const Configuration& configuration, std::uint32_t run, LoadPlan& plan) {
  const LoadSettings& load = configuration.settings.load;
  const std::size_t threads = configuration.settings.threads;
  plan.loop = load.rate ? LoadLoop::open : load.in_flight ? LoadLoop::closed : LoadLoop::free;
  plan.shares = share_out({.sources = load.sources, .zipf = load.zipf, .threads = threads});
  std::vector<std::uint64_t> quotas(threads, UINT64_MAX);
  if (load.events) quotas = split(*load.events, plan.shares);
  for (std::size_t thread = 0; thread < threads; ++thread) {
    SenderOptions sender{.run = run,
                         .seed = load.seed,
                         .thread = thread,
                         .threads = threads,
                         .warmup = load.warmup,
                         .measured_max = quotas[thread]};
    if (ends_by_time(configuration)) sender.end = load.warmup + load.duration;
    if (load.rate) {
      sender.schedule.emplace(
          ScheduleOptions{.rate = static_cast<double>(*load.rate) * plan.shares[thread].share,
                          .ramp = load.ramp,
                          .phase = static_cast<double>(thread) / static_cast<double>(threads)});
      const std::uint64_t before = sender.schedule->count_before(load.warmup);
      if (load.events) sender.sent_max = before + quotas[thread];
    }
    if (load.verify) {
      const std::uint64_t told_apart = (kIndexCount - thread) / threads;
      const std::uint64_t meant =
          sender.schedule && sender.end != nanoseconds::max()
              ? std::min(sender.sent_max, sender.schedule->count_before(sender.end))
              : sender.sent_max;
      if (meant != UINT64_MAX && meant > told_apart) {
        return wrong(concat({"--verify can tell ", grouped(told_apart),
                             " events of a thread apart, and one is to send ", grouped(meant),
                             "; make the run shorter"}));
      }
      sender.sent_max = std::min(sender.sent_max, told_apart);
    }
    plan.senders.push_back(sender);
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> load_settings(const Configuration& configuration) {
  std::vector<std::pair<std::string, std::string>> settings;
  Settings values = configuration.settings;
  for (const OptionInfo& option : options()) {
    // Where results go, and what a person sees meanwhile, does not make a run another one.
    const bool is_key = (option.places & (kKey | kVariable)) != 0 && option.group != "Output";
    if ((option.commands & kForLoad) == 0 || !is_key) continue;
    std::string text;
    for (const std::string& value : show(option.target(values))) {
      if (value.empty()) continue;
      text.append(text.empty() ? "" : "; ").append(redacted(option, value));
    }
    settings.emplace_back(option.name, std::move(text));
  }
  return settings;
}

}  // namespace dualstream::command
