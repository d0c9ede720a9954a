// dualstream ingest: reads lines of JSON, publishes each as an event, and accounts for all of them.
//
//   check inputs -> open outputs -> open the engine -> read -> wait for answers -> stop -> ledger
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "bad_lines.h"
#include "byte_source.h"
#include "checkpoint.h"
#include "commands.h"
#include "console.h"
#include "dead_letter_reader.h"
#include "dualstream/engine.h"
#include "intake.h"
#include "ledger.h"
#include "line_place.h"
#include "metrics_server.h"
#include "option_table.h"
#include "outcomes.h"
#include "progress.h"
#include "signals.h"
#include "standard_output.h"
#include "stop_request.h"
#include "text.h"

namespace dualstream::command {
namespace {

using Clock = std::chrono::steady_clock;

// Lines behind the saved marks: those in flight and as many that wait to be saved, but not so few
// that the disk is waited for all the time.
std::uint64_t checkpoint_window(std::uint64_t events_max) {
  return events_max + std::max<std::uint64_t>(events_max, 10'000);
}

class PublisherTaker final : public LineTaker {
 public:
  explicit PublisherTaker(Publisher publisher) : publisher_(std::move(publisher)) {}

  PublishResult take(std::string_view line, std::uint64_t tag,
                     std::chrono::milliseconds timeout) override {
    return publisher_.publish_json(line, tag, timeout);
  }
  [[nodiscard]] std::string_view refusal_reason() const override {
    return publisher_.refusal_reason();
  }

 private:
  Publisher publisher_;
};

// Takes lines of a dead-letter file: their events are published as they were.
class DeadLetterTaker final : public LineTaker {
 public:
  explicit DeadLetterTaker(Publisher publisher) : publisher_(std::move(publisher)) {}

  PublishResult take(std::string_view line, std::uint64_t tag,
                     std::chrono::milliseconds timeout) override {
    EventView event;
    if (const auto wrong = reader_.read(line, event); wrong) {
      wrong_ = *wrong;
      return PublishResult::invalid;
    }
    wrong_.clear();
    event.tag = tag;
    return publisher_.publish(event, timeout);
  }
  [[nodiscard]] std::string_view refusal_reason() const override {
    return wrong_.empty() ? publisher_.refusal_reason() : wrong_;
  }

 private:
  DeadLetterReader reader_;
  Publisher publisher_;
  std::string wrong_;
};

// All of them, before anything is published: a typing mistake should not leave half a run.
Status check_inputs(const std::vector<std::string>& inputs, std::uint64_t& bytes_total) {
  bytes_total = 0;
  bool all_known = true;
  for (const std::string& input : inputs) {
    std::uint64_t bytes = 0;
    if (Status status = check_input(input, bytes); !status.ok()) return status;
    bytes_total += bytes;
    all_known = all_known && bytes > 0;
  }
  if (!all_known) bytes_total = 0;
  return {};
}

// An output that is an input would feed itself.
Status check_outputs(const std::vector<std::string>& inputs, const Settings& settings) {
  const auto error = [](const std::string& message) {
    return Status::error(StatusCode::invalid_options, message);
  };
  for (const std::string& output :
       {settings.bad_file, settings.dead_letter_file, settings.checkpoint_file}) {
    if (output.empty()) continue;
    for (const std::string& input : inputs) {
      if (same_file(input, output)) {
        return error(output + " is read and written in the same run; name another file");
      }
    }
  }
  if (!settings.bad_file.empty() && !settings.dead_letter_file.empty() &&
      same_file(settings.bad_file, settings.dead_letter_file)) {
    return error("--bad-file and --dead-letter are the same file; name another one");
  }
  for (const std::string& output : {settings.bad_file, settings.dead_letter_file}) {
    if (!output.empty() && !settings.checkpoint_file.empty() &&
        same_file(output, settings.checkpoint_file)) {
      return error(output + " is --checkpoint too; name another file");
    }
  }
  return {};
}

ExitCode exit_code_of(const Status& status) {
  switch (status.code) {
    case StatusCode::ok:
      return ExitCode::ok;
    case StatusCode::invalid_options:
      return ExitCode::usage;
    default:
      return ExitCode::unreachable;
  }
}

// Ingest is one run: everything that lives from its start to its end, in the order in which it has
// to be torn down.
class Ingest {
 public:
  Ingest(const Configuration& configuration, std::vector<std::string> inputs)
      : configuration_(configuration),
        inputs_(std::move(inputs)),
        console_({.log_level = settings().quiet && settings().log_level < LogLevel::warning
                                   ? LogLevel::warning
                                   : settings().log_level,
                  .terminal = stderr_is_terminal()}) {}

  ExitCode run() {
    if (const ExitCode failed = prepare(); failed != ExitCode::ok) return failed;
    if (const Status status = open_engine(); !status.ok()) {
      return refuse(exit_code_of(status), with_origin(status.message, configuration_));
    }
    if (metrics_) metrics_->tell_of(*engine_);
    started_at_ = Clock::now();
    if (const Status status = start_checkpoint(); !status.ok()) {
      return refuse(ExitCode::undelivered, status.message);
    }
    start_progress();
    if (inputs_ == std::vector<std::string>{"-"} && ::isatty(STDIN_FILENO) != 0 &&
        !settings().quiet) {
      console_.say("reading from the terminal; Ctrl-D ends the input");
    }
    const Status read = intake_->run([this] { return make_taker(); });
    if (!read.ok()) return refuse(ExitCode::undelivered, read.message);
    wait_for_answers();
    const Status stopped = engine_->stop(stop_->time_left());
    progress_.reset();
    if (!stopped.ok()) console_.log(LogLevel::warning, stopped.message);
    return conclude();
  }

 private:
  [[nodiscard]] const Settings& settings() const { return configuration_.settings; }

  [[nodiscard]] std::unique_ptr<LineTaker> make_taker() const {
    if (settings().from_dead_letter.empty()) {
      return std::make_unique<PublisherTaker>(engine_->publisher());
    }
    return std::make_unique<DeadLetterTaker>(engine_->publisher());
  }

  // A dead letter is longer than the line that it holds.
  [[nodiscard]] std::size_t line_bytes_max() const {
    const std::size_t line_bytes = settings().engine.json.line_bytes_max;
    if (settings().from_dead_letter.empty()) return line_bytes;
    return DeadLetterReader::line_bytes_max(
        std::max(line_bytes, settings().engine.kafka.event_bytes_max));
  }

  ExitCode refuse(ExitCode code, const std::string& message) {
    console_.say("dualstream: " + message);
    return code;
  }

  ExitCode prepare() {
    if (inputs_.size() > kInputsMax) return refuse(ExitCode::usage, "too many files");
    if (std::count(inputs_.begin(), inputs_.end(), "-") > 1) {
      return refuse(ExitCode::usage, "stdin (`-`) can be read only once");
    }
    if (const Status status = check_inputs(inputs_, bytes_total_); !status.ok()) {
      return refuse(ExitCode::input_failed, status.message + "; nothing was published");
    }
    if (const Status status = StopRequest::make(settings().drain_timeout, stop_); !status.ok()) {
      return refuse(ExitCode::undelivered, status.message);
    }
    if (const Status status = Signals::start(console_, *stop_, signals_); !status.ok()) {
      return refuse(ExitCode::undelivered, status.message);
    }
    if (const Status status = serve_metrics(); !status.ok()) {
      return refuse(exit_code_of(status), status.message);
    }
    if (const ExitCode failed = open_checkpoint(); failed != ExitCode::ok) return failed;
    return open_outputs();
  }

  ExitCode open_checkpoint() {
    if (settings().checkpoint_file.empty()) return ExitCode::ok;
    const Status status =
        Checkpoint::open({.file = settings().checkpoint_file,
                          .topic = settings().engine.kafka.topic,
                          .window_lines = checkpoint_window(settings().engine.queue.events_max)},
                         inputs_, checkpoint_);
    if (!status.ok()) {
      return refuse(
          status.code == StatusCode::exhausted ? ExitCode::output_failed : ExitCode::usage,
          status.message + "; nothing was published");
    }
    for (std::size_t at = 0; at < inputs_.size(); ++at) {
      const LinePosition& next = checkpoint_->start(at).next;
      bytes_total_ -= std::min(bytes_total_, next.offset);
      if (next.line > 1) {
        console_.log(LogLevel::info, inputs_[at] + " goes on at line " + std::to_string(next.line) +
                                         ", as " + settings().checkpoint_file + " says");
      }
    }
    return ExitCode::ok;
  }

  // What lines that are done with left in other files has to be there before they are passed.
  Status start_checkpoint() {
    if (!checkpoint_) return {};
    const auto make_safe = [this] {
      return (!dead_letters_ || dead_letters_->sync()) && (!bad_file_ || bad_file_->sync());
    };
    return checkpoint_->start_saving(make_safe, [this](const std::string& message) {
      console_.log(LogLevel::error, message + "; reading stops");
      stop_->request(StopReason::output_failed);
    });
  }

  Status serve_metrics() {
    if (settings().metrics_address.empty()) return {};
    HttpAddress address;
    if (Status status = parse_http_address(settings().metrics_address, address); !status.ok()) {
      return status;
    }
    Status started = MetricsServer::start(address, *stop_, metrics_);
    if (started.ok()) console_.log(LogLevel::info, "metrics: " + metrics_->url() + "/metrics");
    return started;
  }

  ExitCode open_outputs() {
    const auto open = [this](const std::string& name, std::unique_ptr<OutputFile>& file) {
      if (name.empty()) return Status{};
      const auto on_failure = [this](const std::string& message) {
        console_.log(LogLevel::error, message + "; reading stops");
        stop_->request(StopReason::output_failed);
      };
      return OutputFile::open(name, on_failure, file);
    };
    for (const Status& status :
         {open(settings().bad_file, bad_file_), open(settings().dead_letter_file, dead_letters_)}) {
      if (!status.ok()) {
        return refuse(ExitCode::output_failed, status.message + "; nothing was published");
      }
    }
    // Only now do all of them exist, by whatever name.
    if (const Status status = check_outputs(inputs_, settings()); !status.ok()) {
      return refuse(ExitCode::usage, status.message);
    }
    outcomes_.emplace(inputs_, dead_letters_.get(), console_, *stop_, checkpoint_.get());
    bad_lines_.emplace(inputs_,
                       BadLinesOptions{.bad_max = settings().bad_max, .file = bad_file_.get()},
                       console_, *stop_);
    intake_.emplace(inputs_,
                    IntakeOptions{.threads = settings().threads,
                                  .reader = {.line_bytes_max = line_bytes_max()},
                                  .checkpoint = checkpoint_.get()},
                    *bad_lines_, *stop_);
    return ExitCode::ok;
  }

  Status open_engine() {
    Options options = settings().engine;
    options.on_outcomes = [this](std::span<const Outcome> outcomes) { outcomes_->take(outcomes); };
    options.on_log = [this](const LogLine& line) { console_.log(line.level, text_of(line)); };
    return Engine::open(std::move(options), engine_);
  }

  void start_progress() {
    const bool automatic =
        settings().progress == ShowProgress::automatic && stderr_is_terminal() && !settings().quiet;
    if (!automatic && settings().progress != ShowProgress::always) return;
    progress_.emplace(console_, [this] { return sample(); });
    const std::chrono::milliseconds interval{stderr_is_terminal() ? 250 : 2'000};
    if (const Status status = progress_->start(interval); !status.ok()) {
      console_.log(LogLevel::warning, "no progress is shown: " + status.message);
    }
  }

  [[nodiscard]] ProgressSample sample() const {
    const Stats stats = engine_->stats();
    const IntakeCounts counts = intake_->counts();
    return {.bad = bad_lines_->count(),
            .bytes = counts.bytes,
            .bytes_total = bytes_total_,
            .delivered = stats[Counter::delivered],
            .in_flight = stats[Counter::pending],
            .notifications = stats[Counter::pending_notifications]};
  }

  // At the end of the input every event may take its whole delivery timeout; only after a request
  // to stop is there a deadline for all.
  void wait_for_answers() {
    const std::uint64_t accepted = engine_->stats()[Counter::accepted];
    while (!stop_->requested() && !outcomes_->wait_for(accepted)) {
    }
  }

  ExitCode conclude() {
    if (dead_letters_) dead_letters_->sync();
    if (bad_file_) bad_file_->sync();
    checkpoint_saved_ = !checkpoint_ || checkpoint_->finish();
    bad_lines_->summarize();
    outcomes_->summarize();
    const RunReport report = make_report();
    const ExitCode code = command::exit_code_of(report);
    ExitCode written = ExitCode::ok;
    if (settings().json) {
      written = write_stdout(ledger_json(report));
    } else if (!settings().quiet) {
      written = write_stdout(ledger_text(report));
    } else if (code != ExitCode::ok) {
      for (const std::string& sentence : verdict(report)) console_.say(sentence);
    }
    return code == ExitCode::ok ? written : code;
  }

  [[nodiscard]] RunReport make_report() const {
    RunReport report{
        .stats = engine_->stats(),
        .intake = intake_->counts(),
        .bad = bad_lines_->count(),
        .bad_reasons = bad_lines_->by_reason(),
        .failures = outcomes_->failures(),
        .unsaved = outcomes_->unsaved(),
        .notifications = !settings().engine.redis.address.empty(),
        .stop_reason = stop_->reason(),
        .output_failed = !checkpoint_saved_ || (dead_letters_ && dead_letters_->failed()) ||
                         (bad_file_ && bad_file_->failed()),
        .bad_max = settings().bad_max,
        .bad_file = settings().bad_file,
        .dead_letter_file = settings().dead_letter_file,
        .checkpoint_file = checkpoint_saved_ ? settings().checkpoint_file : std::string{}};
    const Clock::time_point end = outcomes_->last_delivery();
    report.seconds =
        std::chrono::duration<double>((end > started_at_ ? end : Clock::now()) - started_at_)
            .count();
    for (std::size_t at = 0; at < inputs_.size(); ++at) {
      const InputProgress& progress = intake_->progress()[at];
      if (progress.state == InputState::failed) report.input_errors.push_back(progress.error);
      if (progress.state == InputState::stopped || progress.state == InputState::waiting) {
        report.unfinished.push_back(
            {.name = display_name(inputs_[at]), .next_line = progress.next_line});
      }
    }
    return report;
  }

  const Configuration& configuration_;
  const std::vector<std::string> inputs_;
  std::uint64_t bytes_total_ = 0;
  Clock::time_point started_at_;

  Console console_;
  std::unique_ptr<StopRequest> stop_;
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<OutputFile> bad_file_;
  std::unique_ptr<OutputFile> dead_letters_;
  std::unique_ptr<Checkpoint> checkpoint_;
  bool checkpoint_saved_ = false;
  std::optional<Outcomes> outcomes_;
  std::optional<BadLines> bad_lines_;
  std::optional<Intake> intake_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<MetricsServer> metrics_;  // Ends before the engine of which it tells.
  std::optional<Progress> progress_;
};

Status check(const Configuration& configuration) {
  const std::string& metrics = configuration.settings.metrics_address;
  if (HttpAddress address; !metrics.empty()) {
    if (Status status = parse_http_address(metrics, address); !status.ok()) return status;
  }
  Status status = validate(configuration.settings.engine);
  status.message = with_origin(status.message, configuration);
  return status;
}

ExitCode run(const Configuration& configuration, const std::vector<std::string>& operands) {
  const std::vector<std::string>& letters = configuration.settings.from_dead_letter;
  if (!letters.empty() && !operands.empty()) {
    std::fprintf(stderr,
                 "dualstream: --from-dead-letter takes the place of `%s`; give one of both\n",
                 printable(operands.front()).c_str());
    return ExitCode::usage;
  }
  const std::vector<std::string>& files = letters.empty() ? operands : letters;
  Ingest ingest{configuration, files.empty() ? std::vector<std::string>{"-"} : files};
  return ingest.run();
}

}  // namespace

constinit const Command kIngest{
    .name = "ingest",
    .bit = kForIngest,
    .summary = "Publish each line of JSON of files or stdin as an event.",
    .operands = "[FILE...|-]",
    .about =
        R"(Publishes each line, a JSON object, as an event: durably to a Kafka topic and, once Kafka has
acknowledged it, as a notification to Redis Pub/Sub. Without FILE, or for -, reads stdin.

A line that is no event (bad JSON, no id) is reported as FILE:LINE, counted and skipped. When Kafka
is slower than the input, reading waits; nothing is dropped. At the end stands a ledger that
accounts for every line and every event.

Each option can also stand in a config file, `queue-events = 1000`, or in the environment,
DUALSTREAM_QUEUE_EVENTS=1000. Flags win over the environment, and that over the file. Defaults stand
in [brackets]; durations are written 250ms, 5s, 2m, 1h, and sizes 64KiB, 1MiB.
)",
    .notes =
        R"(Examples:
  dualstream ingest --brokers localhost:9092 --topic events --redis localhost:6379 events.ndjson
  zcat events-*.gz | dualstream ingest --config ingest.conf --bad-file bad.ndjson
  dualstream ingest --config ingest.conf --source-type user --source-id /actor/login events.ndjson
  dualstream ingest --config ingest.conf --checkpoint ingest.state /var/log/events-*.ndjson
  dualstream ingest --config ingest.conf --threads 4 --dead-letter failed.ndjson --json *.ndjson
  dualstream ingest --config ingest.conf --from-dead-letter failed.ndjson --dead-letter again.ndjson

Exit codes, the smallest that applies:
    0  Every event is in Kafka. Bad lines may have been skipped.
    1  Events failed, or lines could not be published; the ledger says which and what to do.
    2  A flag, a variable, a config file or a checkpoint cannot be used. Nothing was published.
    3  Kafka cannot be reached, refuses the credentials or has no such topic, or the engine cannot
       start for another reason. Nothing was published.
    4  More bad lines than --max-bad. What was read before them is in Kafka.
    5  An input could not be read.
    6  --bad-file, --dead-letter, --checkpoint or stdout could not be written.
  130  A second SIGINT, SIGTERM or SIGHUP ended it at once.
)",
    .check = check,
    .run = run,
};

}  // namespace dualstream::command
