// dualstream load: publishes made-up events at a rate or as fast as it goes, and measures.
//
//   plan -> open the engine -> note where the topic ends -> subscribe -> send -> wait for answers
//     -> stop -> wait for notifications -> read the topic back -> report
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include "commands.h"
#include "config_file.h"
#include "console.h"
#include "dualstream/engine.h"
#include "load/answers.h"
#include "load/compare.h"
#include "load/in_flight_limit.h"
#include "load/listener.h"
#include "load/load_plan.h"
#include "load/load_report.h"
#include "load/metrics.h"
#include "load/payloads.h"
#include "load/report_files.h"
#include "load/report_html.h"
#include "load/report_text.h"
#include "load/requirement.h"
#include "load/result_file.h"
#include "load/run_clock.h"
#include "load/sender.h"
#include "load/topic_check.h"
#include "load/topic_reader.h"
#include "option_table.h"
#include "signals.h"
#include "standard_output.h"
#include "stop_request.h"
#include "text.h"
#include "thread.h"
#include "units.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// After Redis has taken all, a subscriber that hears nothing for so long hears no more.
constexpr milliseconds kSilence{1'000};
constexpr milliseconds kMoment{10};
// How often the memory is looked at while events are sent.
constexpr milliseconds kLook{100};

class PublisherTaker final : public EventTaker {
 public:
  explicit PublisherTaker(Publisher publisher) : publisher_(std::move(publisher)) {}

  PublishResult take(const EventView& event, milliseconds timeout) override {
    return timeout.count() == 0 ? publisher_.publish(event) : publisher_.publish(event, timeout);
  }
  [[nodiscard]] std::string_view refusal_reason() const override {
    return publisher_.refusal_reason();
  }

 private:
  Publisher publisher_;
};

// The smaller above 0: what happened first is what matters.
ExitCode first_of(ExitCode a, ExitCode b) {
  if (a == ExitCode::ok || b == ExitCode::ok) return a == ExitCode::ok ? b : a;
  return std::min(a, b);
}

// Counts the senders that are done, and wakes who waits for them.
class Countdown {
 public:
  explicit Countdown(std::size_t count) : count_(count) {}

  void done() {
    {
      const std::lock_guard lock{mutex_};
      --count_;
    }
    changed_.notify_all();
  }

  [[nodiscard]] bool wait_for(milliseconds timeout) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, timeout, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_;  // Guarded by mutex_.
};

// Load is one run: everything that lives from its start to its end, in the order in which it has to
// be torn down.
class Load {
 public:
  explicit Load(const Configuration& configuration)
      : configuration_(configuration),
        console_({.log_level = settings().quiet && settings().log_level < LogLevel::warning
                                   ? LogLevel::warning
                                   : settings().log_level,
                  .terminal = stderr_is_terminal()}) {}

  ExitCode run() {
    if (const ExitCode failed = prepare(); failed != ExitCode::ok) return failed;
    if (const ExitCode failed = open(); failed != ExitCode::ok) return failed;
    const double cpu_before = own_cpu_seconds();
    if (const Status status = send(); !status.ok()) {
      return refuse(ExitCode::undelivered, status.message);
    }
    wait_for_answers();
    const Status stopped = engine_->stop(stop_->time_left());
    console_.clear_progress();
    if (!stopped.ok()) console_.log(LogLevel::warning, stopped.message);
    report_.cpu_seconds = own_cpu_seconds() - cpu_before;
    if (listener_) wait_for_notifications();
    if (reader_) verify();
    fill_report();
    return conclude();
  }

 private:
  [[nodiscard]] const Settings& settings() const { return configuration_.settings; }
  [[nodiscard]] const LoadSettings& load() const { return settings().load; }

  ExitCode refuse(ExitCode code, const std::string& message) {
    console_.say("dualstream: " + message);
    return code;
  }

  // ---- Before anything is sent

  ExitCode prepare() {
    // A run is told apart from others in the same topic; its events are the seed's.
    run_ = std::random_device{}();
    if (const Status status = parse_requirements(load().requirements,
                                                 {.redis = !settings().engine.redis.address.empty(),
                                                  .subscribe = load().subscribe,
                                                  .verify = load().verify},
                                                 requirements_);
        !status.ok()) {
      return refuse(ExitCode::usage, status.message);
    }
    if (const Status status = make_plan(configuration_, run_, plan_); !status.ok()) {
      return refuse(ExitCode::usage, status.message);
    }
    if (load().payload_file.empty()) {
      payloads_ = Payloads::of_size(load().payload_bytes, load().seed);
    } else if (const Status status = Payloads::of_file(load().payload_file, payloads_);
               !status.ok()) {
      return refuse(ExitCode::input_failed, status.message + "; nothing was published");
    }
    for (const auto& [name, text] : results(false)) {
      if (const Status status = check_result_file(name); !status.ok()) {
        return refuse(ExitCode::output_failed, status.message + "; nothing was published");
      }
    }
    if (const Status status = StopRequest::make(settings().drain_timeout, stop_); !status.ok()) {
      return refuse(ExitCode::undelivered, status.message);
    }
    if (const Status status = Signals::start(console_, *stop_, signals_); !status.ok()) {
      return refuse(ExitCode::undelivered, status.message);
    }
    return ExitCode::ok;
  }

  ExitCode open() {
    if (load().in_flight) limit_.emplace(static_cast<std::size_t>(*load().in_flight));
    answers_.emplace(AnswersOptions{.warmup = load().warmup,
                                    .remember = load().verify,
                                    .limit = limit_ ? &*limit_ : nullptr},
                     clock_);
    Options options = settings().engine;
    options.on_outcomes = [this](std::span<const Outcome> outcomes) { answers_->take(outcomes); };
    options.on_log = [this](const LogLine& line) { console_.log(line.level, text_of(line)); };
    if (const Status status = Engine::open(std::move(options), engine_); !status.ok()) {
      return refuse(
          status.code == StatusCode::invalid_options ? ExitCode::usage : ExitCode::unreachable,
          with_origin(status.message, configuration_));
    }
    if (load().verify) {
      if (const Status status = TopicReader::open(settings().engine.kafka, reader_); !status.ok()) {
        return refuse(ExitCode::unreachable, status.message + "; nothing was published");
      }
    }
    if (!load().subscribe) return ExitCode::ok;
    const ListenerOptions listening{
        .redis = settings().engine.redis, .run = run_, .warmup = load().warmup};
    if (const Status status = Listener::start(listening, clock_, console_, listener_);
        !status.ok()) {
      return refuse(ExitCode::usage, status.message);
    }
    // Redis away is no reason not to measure Kafka; the listener has said so.
    (void)listener_->wait_until_subscribed(settings().engine.redis.connect_timeout);
    return ExitCode::ok;
  }

  // ---- The run

  Status send() {
    Countdown countdown{plan_.senders.size()};
    for (std::size_t at = 0; at < plan_.senders.size(); ++at) {
      senders_.push_back(std::make_unique<Sender>(plan_.senders[at], plan_.shares[at], payloads_,
                                                  clock_, *stop_, limit_ ? &*limit_ : nullptr));
    }
    plan_.shares.clear();
    std::vector<Thread> threads;
    threads.reserve(senders_.size());
    clock_.start();
    Status status;
    for (std::size_t at = 0; at < senders_.size() && status.ok(); ++at) {
      Sender* const sender = senders_[at].get();
      auto taker = std::make_shared<PublisherTaker>(engine_->publisher());
      status = threads.emplace_back().start("ds-load", [sender, taker, &countdown] {
        sender->run(*taker);
        countdown.done();
      });
    }
    if (!status.ok()) {
      stop_->request(StopReason::output_failed);
      return status;  // The threads that there are are joined.
    }
    nanoseconds shown = clock_.now();
    while (!countdown.wait_for(kLook)) look_around(shown);
    return status;
  }

  // Every event may take its whole delivery timeout; only after a request to stop is there a
  // deadline for all.
  void wait_for_answers() {
    std::uint64_t accepted = 0;
    for (const auto& sender : senders_) accepted += sender->sent().accepted;
    nanoseconds shown = clock_.now();
    while (!stop_->requested() && answers_->count() < accepted) {
      wait_a_moment();
      look_around(shown);
    }
  }

  // Notes the memory, and shows the progress when it is time to.
  void look_around(nanoseconds& shown) {
    const nanoseconds now = clock_.now();
    report_.memory_over_time.at(now).merge({.bytes = own_memory_bytes()});
    if (now - shown < interval()) return;
    show_progress();
    shown = now;
  }

  void wait_for_notifications() {
    const std::uint64_t notified = engine_->stats()[Counter::notified];
    std::uint64_t before = listener_->received();
    nanoseconds heard = clock_.now();
    while (listener_->received() < notified && clock_.now() - heard < kSilence) {
      wait_a_moment();
      const std::uint64_t now = listener_->received();
      if (now > before) heard = clock_.now();
      before = now;
    }
    listener_->stop();
  }

  void verify() {
    Verification verification;
    TopicCheck check{run_, load().sources};
    std::uint64_t records = 0;
    nanoseconds shown = clock_.now();
    const Status status = reader_->read_new(
        [&check, &records](const TopicRecord& record) {
          check.take(record.partition, record.key, record.value);
          ++records;
        },
        [this, &records, &shown] {
          if (shows_progress() && clock_.now() - shown > interval()) {
            console_.show_progress("reading back: " + grouped(records) + " records");
            shown = clock_.now();
          }
          return stop_->time_left().count() > 0;
        });
    console_.clear_progress();
    verification.findings = check.conclude(answers_->acknowledged());
    verification.expired = reader_->expired();
    if (!status.ok()) verification.error = status.message;
    report_.verification = std::move(verification);
  }

  // Woken by a signal, it ends sooner.
  static void wait_a_moment() { (void)::poll(nullptr, 0, static_cast<int>(kMoment.count())); }

  // ---- The progress line

  [[nodiscard]] milliseconds interval() const {
    return milliseconds{stderr_is_terminal() ? 250 : 2'000};
  }

  [[nodiscard]] bool shows_progress() const {
    const bool automatic =
        settings().progress == ShowProgress::automatic && stderr_is_terminal() && !settings().quiet;
    return automatic || settings().progress == ShowProgress::always;
  }

  void show_progress() {
    if (!shows_progress()) return;
    const Stats stats = engine_->stats();
    const nanoseconds now = clock_.now();
    const std::uint64_t delivered = stats[Counter::delivered];
    const double seconds = std::chrono::duration<double>(now - progress_at_).count();
    const double rate =
        seconds > 0 ? static_cast<double>(delivered - progress_delivered_) / seconds : 0;
    progress_at_ = now;
    progress_delivered_ = delivered;
    nanoseconds lag{0};
    for (const auto& sender : senders_) lag = std::max(lag, sender->lag());
    std::string text = concat(
        {grouped(static_cast<std::uint64_t>(std::chrono::duration<double>(now).count())),
         " s  in Kafka ", grouped(delivered), " (", grouped(static_cast<std::uint64_t>(rate)),
         "/s)  in flight ", grouped(stats[Counter::pending])});
    if (plan_.loop == LoadLoop::open) {
      text += "  late " + metric_text(MetricUnit::duration, static_cast<double>(lag.count()));
    }
    if (listener_) text += "  received " + grouped(listener_->received());
    console_.show_progress(text);
  }

  // ---- The end

  void fill_report() {
    report_.settings = load_settings(configuration_);
    report_.run = run_;
    report_.loop = plan_.loop;
    report_.notifications = !settings().engine.redis.address.empty();
    report_.subscribed = listener_ != nullptr;
    for (const auto& sender : senders_) report_.sent.merge(sender->sent());
    report_.acknowledged = answers_->latency();
    report_.failures = answers_->failures();
    report_.first_failure = answers_->first_failure();
    if (listener_) {
      report_.notified = listener_->latency();
      report_.received = listener_->received();
      report_.subscription_losses = listener_->losses();
    }
    report_.stats = engine_->stats();
    const nanoseconds measured = report_.acknowledged.last() - load().warmup;
    report_.seconds = std::max(0.0, std::chrono::duration<double>(measured).count());
    report_.memory_bytes_peak = own_memory_bytes_peak();
    report_.memory_bytes_bound = memory_bytes_max(settings().engine);
    report_.stop_reason = stop_->reason();
  }

  ExitCode conclude() {
    const Judgement judgement = judge(report_, requirements_);
    ExitCode code = judgement.exit_code;
    for (const auto& [name, text] : results(true)) {
      if (const Status status = write_result_file(name, text); !status.ok()) {
        code = first_of(code, refuse(ExitCode::output_failed, status.message));
      }
    }
    const bool other_stdout = load().json_file == "-" || load().csv_file == "-";
    if (load().json_file == "-") {
      code = first_of(code, write_stdout(report_json(report_, judgement)));
    } else if (load().csv_file == "-") {
      code = first_of(code, write_stdout(report_csv(report_)));
    }
    if (!settings().quiet && !other_stdout) {
      std::string text = report_text(report_);
      for (const Judgement::Result& result : judgement.requirements) {
        text += concat({result.met ? "Met: " : "Not met: ", result.text, "\n"});
      }
      return first_of(code, write_stdout(text));
    }
    if (judgement.exit_code == ExitCode::undelivered) {
      for (const std::string& sentence : verdict(report_)) console_.say(sentence);
    }
    for (const Judgement::Result& result : judgement.requirements) {
      if (!result.met) console_.say("Not met: " + result.text);
    }
    return code;
  }

  // The files that were asked for and, once there is something to tell, what goes into each.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> results(bool with_text) const {
    std::vector<std::pair<std::string, std::string>> files;
    const auto add = [&files, with_text](const std::string& name, const auto& text) {
      if (name.empty() || name == "-") return;
      files.emplace_back(name, with_text ? text() : std::string{});
    };
    const auto judged = [this] { return judge(report_, requirements_); };
    add(load().json_file, [&] { return report_json(report_, judged()); });
    add(load().csv_file, [&] { return report_csv(report_); });
    add(load().html_file, [&] { return report_html(report_, judged()); });
    if (load().hgrm_prefix.empty()) return files;
    for (const NamedClock& clock : clocks_of(report_)) {
      if (clock.name == "notify" && !load().subscribe) continue;
      add(concat({load().hgrm_prefix, ".", clock.name, ".hgrm"}),
          [&clock] { return report_hgrm(*clock.histogram); });
    }
    return files;
  }

  const Configuration& configuration_;
  std::uint32_t run_ = 0;
  std::vector<Requirement> requirements_;
  LoadPlan plan_;
  Payloads payloads_;
  LoadReport report_;

  Console console_;
  RunClock clock_;
  std::unique_ptr<StopRequest> stop_;
  std::unique_ptr<Signals> signals_;
  std::optional<InFlightLimit> limit_;
  std::optional<Answers> answers_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TopicReader> reader_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Sender>> senders_;

  nanoseconds progress_at_{0};
  std::uint64_t progress_delivered_ = 0;
};

ExitCode usage(const std::string& message) {
  std::fprintf(stderr, "dualstream: %s\n`dualstream load --help` tells what there is.\n",
               message.c_str());
  return ExitCode::usage;
}

ExitCode compare(const std::vector<std::string>& operands) {
  if (operands.size() != 3) return usage("compare takes two files, A.json B.json");
  std::array<std::string, 2> texts;
  for (std::size_t at = 0; at < texts.size(); ++at) {
    if (const Status status = read_whole_file(operands[at + 1], texts[at]); !status.ok()) {
      std::fprintf(stderr, "dualstream: %s\n", status.message.c_str());
      return ExitCode::input_failed;
    }
  }
  std::string table;
  if (const Status status = compare_runs(operands[1], texts[0], operands[2], texts[1], table);
      !status.ok()) {
    std::fprintf(stderr, "dualstream: %s\n", status.message.c_str());
    return ExitCode::input_failed;
  }
  return write_stdout(table);
}

ExitCode run(const Configuration& configuration, const std::vector<std::string>& operands) {
  if (!operands.empty()) {
    if (operands.front() == "compare") return compare(operands);
    return usage(concat({"`", printable(operands.front()),
                         "` is no operand of load; there is only compare A.json B.json"}));
  }
  // Not in check_load(): comparing needs no Kafka.
  if (const Status status = validate(configuration.settings.engine); !status.ok()) {
    return usage(with_origin(status.message, configuration));
  }
  return Load{configuration}.run();
}

}  // namespace

constinit const Command kLoad{
    .name = "load",
    .bit = kForLoad,
    .summary = "Publish made-up events at a given rate, and measure latency and loss.",
    .operands = "[compare A.json B.json]",
    .about =
        R"(Publishes made-up events through the engine, at a given rate or as fast as it goes, and reports
three clocks apart: what the publish() call took, when Kafka's acknowledgement came, and when a real
subscriber of Redis received the notification (--subscribe). --verify reads the topic back.

With --rate latency counts from when an event was meant to be sent, so an event that had to wait for
its turn because the system was slow counts as slow.

`dualstream load compare A.json B.json` sets two runs side by side.
)",
    .notes =
        R"(Examples:
  dualstream load --brokers localhost:9092 --topic load --rate 10000 --duration 30s
  dualstream load --config load.conf --redis localhost:6379 --rate 10000 --subscribe --verify \
      --require 'lost==0' --require 'ack.p99<20ms' --html page.html --json run.json
  dualstream load --config load.conf --threads 2 --events 5000000
  dualstream load compare before.json after.json

--require and the JSON name figures as METRIC: publish, ack, notify and lag (how late an event was
sent), each with .p50 .p90 .p95 .p99 .p99.9 .p99.99 .max .mean .count; rate, byte_rate, sent,
delivered, failed, refused, waits, late, unsent, notified, dropped, unconfirmed, received, missed,
lost, duplicated, out_of_order, corrupt, cpu, memory, memory_bound, seconds.

Exit codes, the smallest that applies:
    0  Every event is in Kafka, and every --require holds.
    1  Events failed, or --verify found that some are lost, doubled, out of order or corrupt, or
       could not read the topic back.
    2  A flag, a variable or a config file cannot be used. Nothing was published.
    3  Kafka cannot be reached, refuses the credentials or has no such topic, or the engine cannot
       start for another reason. Nothing was published.
    5  --payload-file, or a file to compare, could not be read.
    6  A file of results or stdout could not be written.
    7  A --require does not hold.
  130  A second SIGINT, SIGTERM or SIGHUP ended it at once.
)",
    .check = check_load,
    .run = run,
};

}  // namespace dualstream::command
