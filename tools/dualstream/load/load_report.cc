#include "load_report.h"

#include <array>
#include <cstdio>

#include "text.h"
#include "units.h"

namespace dualstream::command {
namespace {

// A share of late events that is worth a word.
constexpr double kLateShareMax = 0.01;

std::string percent(double share) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), share < 0.1 ? "%.1f %%" : "%.0f %%", share * 100);
  return text.data();
}

std::string late_text() { return std::to_string(kLate.count()) + " ms"; }

std::string events_text(std::uint64_t count, std::string_view verb_one,
                        std::string_view verb_many) {
  return concat(
      {grouped(count), count == 1 ? " event " : " events ", count == 1 ? verb_one : verb_many});
}

std::string failed_text(const LoadReport& report) {
  std::string reasons;
  for (const auto& [reason, count] : report.failures) {
    reasons.append(reasons.empty() ? "" : ", ").append(reason).append(" ").append(grouped(count));
  }
  std::string text = concat({events_text(report.stats[Counter::failed], "was", "were"),
                             " not delivered (", reasons, ")"});
  if (!report.first_failure.empty()) text += ", the first: " + printable(report.first_failure);
  return text + ".";
}

std::string verification_text(const Verification& verification) {
  if (!verification.error.empty()) return "Not verified: " + printable(verification.error) + ".";
  const TopicFindings& found = verification.findings;
  if (found.lost + found.duplicated + found.out_of_order + found.corrupt == 0) {
    return "Read back: every acknowledged event is in the topic, once, in order per source and "
           "unchanged.";
  }
  std::string text =
      concat({"Read back: ", grouped(found.lost), " acknowledged events are not in ", "the topic, ",
              grouped(found.duplicated), " stand there again, ", grouped(found.out_of_order),
              " out of order, ", grouped(found.corrupt), " corrupt."});
  if (verification.expired > 0) {
    text += concat({" The topic had dropped ", grouped(verification.expired),
                    " offsets of the run before they could be read: raise its retention."});
  }
  return text;
}

std::string notifications_text(const LoadReport& report) {
  const std::uint64_t notified = report.stats[Counter::notified];
  const std::uint64_t lost = report.stats.dropped() + report.stats[Counter::unconfirmed];
  std::string text;
  if (lost > 0) {
    text = concat({grouped(lost), lost == 1 ? " notification" : " notifications",
                   " did not get through to Redis."});
  }
  if (report.subscribed && report.received < notified) {
    text += concat({text.empty() ? "" : " ", "The subscriber missed ",
                    grouped(notified - report.received), " of ", grouped(notified),
                    " that did; it lost its connection ", grouped(report.subscription_losses),
                    report.subscription_losses == 1 ? " time." : " times."});
  }
  return text;
}

}  // namespace

double events_per_second(const LoadReport& report) {
  const auto events = static_cast<double>(report.acknowledged.histogram().count());
  return report.seconds > 0 ? events / report.seconds : 0;
}

double bytes_per_second(const LoadReport& report) {
  if (report.sent.measured == 0) return 0;
  return events_per_second(report) * static_cast<double>(report.sent.bytes) /
         static_cast<double>(report.sent.measured);
}

bool all_delivered(const LoadReport& report) {
  if (report.stats[Counter::failed] + report.stats[Counter::pending] > 0) return false;
  if (!report.verification) return true;
  const TopicFindings& found = report.verification->findings;
  return report.verification->error.empty() &&
         found.lost + found.duplicated + found.out_of_order + found.corrupt == 0;
}

std::vector<std::string> pace_sentences(const LoadReport& report) {
  std::vector<std::string> sentences;
  const Sent& sent = report.sent;
  if (report.loop == LoadLoop::free && sent.accepted > 0 && sent.waits == 0) {
    sentences.emplace_back(
        "The generator was the limit: publish() never had to wait for room. More --threads may "
        "offer more.");
  }
  if (report.loop != LoadLoop::open) return sentences;
  const auto meant = static_cast<double>(sent.measured + sent.unsent);
  const auto self = static_cast<double>(sent.late_self);
  const auto engine = static_cast<double>(sent.late_engine);
  const bool ended_behind = sent.unsent > 0 && static_cast<double>(sent.unsent) > meant / 1'000;
  if (self > meant * kLateShareMax || (ended_behind && self > engine)) {
    sentences.push_back(
        concat({"The generator was the limit: it sent ", percent(self / meant),
                " of the events more than ", late_text(),
                " late while the engine took each at once. The latencies hold this delay. ",
                "Use more --threads, a lower --rate or a machine with more to spare."}));
  }
  if (engine > meant * kLateShareMax || (ended_behind && self <= engine)) {
    sentences.push_back(concat({"Kafka did not keep up with the rate: ", percent(engine / meant),
                                " of the events were ", "sent more than ", late_text(),
                                " late, because publish() had to wait for room. The ",
                                "latencies hold this delay."}));
  }
  if (ended_behind) {
    sentences.push_back(
        concat({events_text(sent.unsent, "was", "were"),
                " due and not sent when the time was up; their latency would be ", "the worst."}));
  }
  return sentences;
}

std::vector<std::string> verdict(const LoadReport& report) {
  std::vector<std::string> sentences;
  const Stats& stats = report.stats;
  if (stats[Counter::accepted] == 0) sentences.emplace_back("No event was sent.");
  if (stats[Counter::failed] > 0) sentences.push_back(failed_text(report));
  if (report.verification) sentences.push_back(verification_text(*report.verification));
  if (report.sent.refused > 0) {
    sentences.push_back(concat({events_text(report.sent.refused, "was", "were"),
                                " refused: ", printable(report.sent.refusal), "."}));
  }
  for (std::string& sentence : pace_sentences(report)) sentences.push_back(std::move(sentence));
  if (std::string text = notifications_text(report); !text.empty()) {
    sentences.push_back(std::move(text));
  }
  if (report.stop_reason == StopReason::signal) {
    sentences.emplace_back("Stopped by a signal before its end.");
  }
  return sentences;
}

}  // namespace dualstream::command
