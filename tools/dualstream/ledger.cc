#include "ledger.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "text.h"
#include "units.h"

namespace dualstream::command {
namespace {

std::string decimal(double number) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.1f", number);
  return text.data();
}

std::string seconds_text(double seconds) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), seconds < 10 ? "%.2f s" : "%.0f s", seconds);
  return text.data();
}

std::uint64_t per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<std::uint64_t>(static_cast<double>(count) / seconds) : 0;
}

// " (full 3, invalid 2)" of the counters that are not 0; the labels without their prefix.
std::string parts_text(const Stats& stats, std::string_view prefix) {
  std::string text;
  for (const CounterInfo& info : counter_infos()) {
    if (!info.label.starts_with(prefix) || stats[info.counter] == 0) continue;
    text.append(text.empty() ? " (" : ", ").append(info.label.substr(prefix.size()));
    text.append(" ").append(grouped(stats[info.counter]));
  }
  return text.empty() ? text : text + ')';
}

std::string in_brackets(const ReasonCounts& reasons) {
  return reasons.empty() ? std::string{} : concat({" (", reasons_text(reasons), ")"});
}

std::string notifications_text(const Stats& stats) {
  const auto n = [&stats](Counter counter) { return grouped(stats[counter]); };
  const std::uint64_t frames = stats[Counter::frames];
  std::string text =
      concat({"announced ", n(Counter::announced), " = notified ", n(Counter::notified),
              " + dropped ", grouped(stats.dropped()), parts_text(stats, "dropped_"),
              " + unconfirmed ", n(Counter::unconfirmed), " + pending ",
              n(Counter::pending_notifications), "\nframes ", grouped(frames)});
  if (frames > 0) {
    text.append(" (")
        .append(
            decimal(static_cast<double>(stats[Counter::notified]) / static_cast<double>(frames)))
        .append(" notifications each)");
  }
  return text.append(", received ").append(n(Counter::receivers)).append(" times\n");
}

std::string plural(std::uint64_t count, std::string_view one) {
  return grouped(count).append(" ").append(one).append(count == 1 ? "" : "s");
}

std::string failed_text(const RunReport& report) {
  const std::uint64_t failed = report.stats[Counter::failed];
  const std::uint64_t maybe = report.stats[Counter::failed_maybe_persisted];
  const std::uint64_t lost = failed - maybe;
  const std::string file = printable(report.dead_letter_file);
  std::string text;
  if (lost > 0) text += plural(lost, "event") + (lost == 1 ? " is" : " are") + " not in Kafka. ";
  if (maybe > 0) text += plural(maybe, "event") + " may or may not be in Kafka. ";
  const bool all_left = !report.checkpoint_file.empty() && report.unsaved == failed;
  if (report.unsaved > 0 && !report.checkpoint_file.empty()) {
    text += concat({all_left ? "The" : grouped(report.unsaved) + " of them were left: the",
                    " same command publishes them again, because ",
                    printable(report.checkpoint_file), " stands before them."});
    if (all_left) return text;
  } else if (file.empty()) {
    return text + "Publish those lines again; --dead-letter FILE would have kept them for that.";
  } else if (report.unsaved > 0) {
    text += concat({grouped(report.unsaved), " of them could not be saved in ", file,
                    ": publish their lines again."});
  }
  if (report.unsaved < failed) {
    text += concat({report.unsaved > 0 ? " " : "",
                    "Publish what is saved again: dualstream ingest --from-dead-letter ", file,
                    " ..."});
  }
  return text;
}

std::string stop_text(const RunReport& report) {
  switch (report.stop_reason) {
    case StopReason::none:
      return {};
    case StopReason::signal:
      return "Stopped by a signal.";
    case StopReason::too_many_bad:
      return concat({"Stopped because there were more bad lines than --max-bad ",
                     grouped(report.bad_max.value_or(0)), "."});
    case StopReason::output_failed:
      return "Stopped because an output could not be written.";
    case StopReason::events_failed:
      return "Stopped because events failed and there is no --dead-letter FILE to keep them.";
  }
  return {};
}

// Those that were begun first; of many the rest by number.
std::string unfinished_text(const RunReport& report) {
  constexpr std::size_t kNamedMax = 8;
  std::string text;
  std::size_t named = 0;
  for (const bool begun : {true, false}) {
    for (const UnfinishedInput& input : report.unfinished) {
      if ((input.next_line > 1) != begun || named == kNamedMax) continue;
      text += concat({text.empty() ? "" : " ", printable(input.name), " goes on at line ",
                      grouped(input.next_line), "."});
      named += 1;
    }
  }
  if (named < report.unfinished.size()) {
    text += concat({" So do ", grouped(report.unfinished.size() - named),
                    " more inputs, which --json lists."});
  }
  return text;
}

// ---- JSON

void append_name(std::string& out, std::string_view name) {
  if (!out.empty() && out.back() != '{' && out.back() != '[') out += ',';
  append_json_string(out, name);
  out += ':';
}

void append_number(std::string& out, std::string_view name, std::uint64_t value) {
  append_name(out, name);
  out += std::to_string(value);
}

void append_counts(std::string& out, std::string_view name, const ReasonCounts& counts) {
  append_name(out, name);
  out += '{';
  for (const auto& [reason, count] : counts) append_number(out, reason, count);
  out += '}';
}

std::string_view stop_name(StopReason reason) {
  switch (reason) {
    case StopReason::none:
      return "end_of_input";
    case StopReason::signal:
      return "signal";
    case StopReason::too_many_bad:
      return "too_many_bad";
    case StopReason::output_failed:
      return "output_failed";
    case StopReason::events_failed:
      return "events_failed";
  }
  return "unknown";
}

}  // namespace

ExitCode exit_code_of(const RunReport& report) {
  const Stats& stats = report.stats;
  const bool cut_short = report.stop_reason == StopReason::none && !report.unfinished.empty();
  if (stats[Counter::failed] > 0 || stats[Counter::pending] > 0 || report.intake.left > 0 ||
      cut_short) {
    return ExitCode::undelivered;
  }
  if (report.stop_reason == StopReason::too_many_bad) return ExitCode::too_many_bad;
  if (!report.input_errors.empty()) return ExitCode::input_failed;
  return report.output_failed ? ExitCode::output_failed : ExitCode::ok;
}

std::string ledger_text(const RunReport& report) {
  const Stats& stats = report.stats;
  const auto n = [&stats](Counter counter) { return grouped(stats[counter]); };
  std::string text =
      concat({"lines ", grouped(report.intake.lines), "   bad ", grouped(report.bad),
              in_brackets(report.bad_reasons), "   blank ", grouped(report.intake.blank)});
  if (report.intake.left > 0) {
    text.append("   not published ").append(grouped(report.intake.left));
  }
  text += concat({"\noffered ", n(Counter::offered), " = accepted ", n(Counter::accepted),
                  " + refused ", grouped(stats.refused()), parts_text(stats, "refused_"),
                  "\naccepted ", n(Counter::accepted), " = delivered ", n(Counter::delivered),
                  " + failed ", n(Counter::failed), in_brackets(report.failures), " + pending ",
                  n(Counter::pending), "\n"});
  if (report.notifications) text += notifications_text(stats);
  text += concat({about_bytes_text(static_cast<double>(report.intake.bytes)), " in ",
                  seconds_text(report.seconds), ": ",
                  grouped(per_second(stats[Counter::delivered], report.seconds)),
                  " events/s acknowledged\n"});
  for (const std::string& sentence : verdict(report)) text.append(sentence).append("\n");
  return text;
}

std::vector<std::string> verdict(const RunReport& report) {
  const Stats& stats = report.stats;
  std::vector<std::string> sentences;
  if (stats[Counter::failed] > 0) sentences.push_back(failed_text(report));
  if (stats[Counter::pending] > 0) {
    sentences.push_back(plural(stats[Counter::pending], "event") + " had no answer.");
  }
  if (report.intake.left > 0) {
    sentences.push_back(plural(report.intake.left, "line") +
                        " that were read from a pipe could not be published any more.");
  }
  if (sentences.empty()) {
    sentences.emplace_back(stats[Counter::accepted] > 0 ? "Every event is in Kafka."
                                                        : "There was no event to publish.");
  }
  if (const std::uint64_t lost = stats.dropped() + stats[Counter::unconfirmed]; lost > 0) {
    sentences.push_back(plural(lost, "notification") +
                        " did not get through to Redis; subscribers find the events in Kafka.");
  }
  if (report.bad > 0) {
    const std::string kept = report.bad_file.empty()
                                 ? "; --bad-file FILE would keep them."
                                 : concat({", and kept in ", printable(report.bad_file), "."});
    sentences.push_back(plural(report.bad, "bad line") +
                        (report.bad == 1 ? " was skipped" : " were skipped") + kept);
  }
  for (const std::string& error : report.input_errors) sentences.push_back(printable(error) + ".");
  if (report.stop_reason != StopReason::none) sentences.push_back(stop_text(report));
  if (!report.unfinished.empty()) sentences.push_back(unfinished_text(report));
  return sentences;
}

std::string ledger_json(const RunReport& report) {
  std::string out = "{";
  append_number(out, "lines", report.intake.lines);
  append_number(out, "bad", report.bad);
  append_number(out, "blank", report.intake.blank);
  append_number(out, "not_published", report.intake.left);
  append_number(out, "bytes", report.intake.bytes);
  append_name(out, "seconds");
  std::array<char, 64> seconds{};
  std::snprintf(seconds.data(), seconds.size(), "%.6f", report.seconds);
  out += seconds.data();
  append_number(out, "events_per_second",
                per_second(report.stats[Counter::delivered], report.seconds));
  append_name(out, "counters");
  out += '{';
  for (const CounterInfo& info : counter_infos()) {
    append_number(out, info.label, report.stats[info.counter]);
  }
  out += '}';
  append_counts(out, "bad_by_reason", report.bad_reasons);
  append_counts(out, "failed_by_reason", report.failures);
  append_number(out, "failed_unsaved", report.unsaved);
  append_name(out, "ended_by");
  append_json_string(out, stop_name(report.stop_reason));
  append_name(out, "unfinished");
  out += '[';
  for (const UnfinishedInput& input : report.unfinished) {
    out += out.back() == '[' ? "{" : ",{";
    append_name(out, "input");
    append_json_string(out, input.name);
    append_number(out, "next_line", input.next_line);
    out += '}';
  }
  out += ']';
  append_name(out, "input_errors");
  out += '[';
  for (const std::string& error : report.input_errors) {
    if (out.back() != '[') out += ',';
    append_json_string(out, error);
  }
  out += ']';
  append_number(out, "exit_code", static_cast<std::uint64_t>(exit_code_of(report)));
  return out + "}\n";
}

}  // namespace dualstream::command
