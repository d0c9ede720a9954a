#include "option_table.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace dualstream::command {
namespace {

constexpr std::string_view kKafka = "Kafka";
constexpr std::string_view kRedis = "Redis";
constexpr std::string_view kEvents = "Events";
constexpr std::string_view kRun = "The run";
constexpr std::string_view kLoad = "The load";
constexpr std::string_view kReading = "Reading";
constexpr std::string_view kOutput = "Output";
constexpr std::string_view kTuning = "Limits and tuning";

// What every command takes that publishes.
constexpr unsigned kForBoth = kForIngest | kForLoad;

constexpr std::array kOptions{
    OptionInfo{"brokers", kForBoth | kForReading | kForDoctor, kEverywhere, kKafka,
               "HOST:PORT[,...]", "kafka.brokers", "Bootstrap brokers.",
               [](Settings& s) -> Target { return &s.engine.kafka.brokers; }},
    OptionInfo{"topic", kForBoth | kForReading | kForDoctor, kEverywhere, kKafka, "TOPIC",
               "kafka.topic", "The topic that every event goes to.",
               [](Settings& s) -> Target { return &s.engine.kafka.topic; }},
    OptionInfo{"kafka-property", kForBoth | kForReading | kForDoctor, kEverywhere, kKafka,
               "NAME=VALUE", "kafka.properties",
               "Any other librdkafka property, such as security.protocol=SASL_SSL. Secret ones are "
               "taken from a config file or the environment only. Repeatable.",
               [](Settings& s) -> Target { return &s.engine.kafka.properties; }},
    OptionInfo{"allow-unsafe", kForBoth, kEverywhere, kKafka, "", "kafka.allow_unsafe",
               "Lets kafka-property turn acks or idempotence down: events may then be lost or "
               "doubled.",
               [](Settings& s) -> Target { return &s.engine.kafka.allow_unsafe; }},
    OptionInfo{"open-timeout", kForBoth | kForReading | kForDoctor, kEverywhere, kKafka, "DURATION",
               "kafka.open_timeout", "How long to wait at the start for the cluster to answer.",
               [](Settings& s) -> Target { return &s.engine.kafka.open_timeout; }},
    OptionInfo{"wait-for-kafka", kForIngest | kForTail, kEverywhere, kKafka, "",
               "kafka.required_at_open",
               "Begin even if no broker answers within open-timeout: buffer, and deliver when one "
               "appears. Without it that ends the command.",
               [](Settings& s) -> Target { return &s.wait_for_kafka; }},
    OptionInfo{"delivery-timeout", kForBoth, kEverywhere, kKafka, "DURATION",
               "kafka.delivery_timeout",
               "An event that Kafka has not acknowledged for this long fails.",
               [](Settings& s) -> Target { return &s.engine.kafka.delivery_timeout; }},

    OptionInfo{
        "redis", kForBoth | kForTail | kForReplay | kForDoctor, kEverywhere, kRedis, "ADDRESS",
        "redis.address",
        "HOST:PORT, redis://HOST:PORT, rediss://HOST:PORT for TLS, or unix:/PATH. Without it "
        "there are no notifications.",
        [](Settings& s) -> Target { return &s.engine.redis.address; }},
    OptionInfo{"redis-user", kForBoth | kForTail | kForReplay | kForDoctor, kEverywhere, kRedis,
               "NAME", "redis.username", "ACL user.",
               [](Settings& s) -> Target { return &s.engine.redis.username; }},
    OptionInfo{"redis-password", kForBoth | kForTail | kForReplay | kForDoctor, kVariable, kRedis,
               "PASSWORD", "redis.password",
               "Only in the environment, where other users do not see it.",
               [](Settings& s) -> Target { return &s.engine.redis.password; }},
    OptionInfo{"redis-password-file", kForBoth | kForTail | kForReplay | kForDoctor, kEverywhere,
               kRedis, "FILE", "", "A file whose first line is the password.",
               [](Settings& s) -> Target { return &s.redis_password_file; }},
    OptionInfo{"redis-ca-file", kForBoth | kForTail | kForReplay | kForDoctor, kEverywhere, kRedis,
               "FILE", "redis.tls_ca_file",
               "For TLS: the authorities (PEM) whose word on the server is taken. Without it the "
               "system's.",
               [](Settings& s) -> Target { return &s.engine.redis.tls_ca_file; }},
    OptionInfo{"redis-certificate-file", kForBoth | kForTail | kForReplay | kForDoctor, kEverywhere,
               kRedis, "FILE", "redis.tls_certificate_file",
               "For TLS: a certificate (PEM) for a server that wants to know its clients.",
               [](Settings& s) -> Target { return &s.engine.redis.tls_certificate_file; }},
    OptionInfo{"redis-key-file", kForBoth | kForTail | kForReplay | kForDoctor, kEverywhere, kRedis,
               "FILE", "redis.tls_key_file", "The certificate's private key (PEM).",
               [](Settings& s) -> Target { return &s.engine.redis.tls_key_file; }},
    OptionInfo{"notify", kForBoth, kEverywhere, kRedis, "WHEN", "redis.notify",
               "acknowledged: after Kafka's acknowledgement, with partition and offset. accepted: "
               "sooner, without them, and perhaps for an event that Kafka then fails.",
               [](Settings& s) -> Target { return &s.engine.redis.notify; }},
    OptionInfo{"channel", kForBoth | kForTail | kForDoctor, kEverywhere, kRedis, "TEMPLATE",
               "redis.channels",
               "Where notifications go: {source_type} is required in it, {source_id} gives a "
               "channel per source, {bucket} one of `buckets` by hash of the source. Repeatable.",
               [](Settings& s) -> Target { return &s.engine.redis.channels; }},
    OptionInfo{"buckets", kForBoth | kForTail | kForReplay | kForDoctor, kEverywhere, kRedis, "N",
               "redis.buckets", "How many buckets {bucket} spreads the sources over.",
               [](Settings& s) -> Target { return Count{&s.engine.redis.buckets}; }},

    OptionInfo{"id", kForIngest | kForReading, kEverywhere, kEvents, "FIELD", "json.id",
               "The event's id. A FIELD that starts with / is a JSON Pointer into the line, "
               "anything else is a constant.",
               [](Settings& s) -> Target { return &s.engine.json.id; }},
    OptionInfo{"type", kForIngest | kForReading, kEverywhere, kEvents, "FIELD", "json.type",
               "What happened.", [](Settings& s) -> Target { return &s.engine.json.type; }},
    OptionInfo{"source-type", kForIngest | kForReading | kForDoctor, kEverywhere, kEvents, "FIELD",
               "json.source_type", "The kind of thing that the event is about.",
               [](Settings& s) -> Target { return &s.engine.json.source_type; }},
    OptionInfo{"source-id", kForIngest, kEverywhere, kEvents, "FIELD", "json.source_id",
               "Which one: the Kafka key, and part of the channel.",
               [](Settings& s) -> Target { return &s.engine.json.source_id; }},
    OptionInfo{"line-bytes-max", kForIngest | kForReading, kEverywhere, kEvents, "SIZE",
               "json.line_bytes_max", "A longer line is a bad line; it is never held in memory.",
               [](Settings& s) -> Target { return Bytes{&s.engine.json.line_bytes_max}; }},
    OptionInfo{"depth-max", kForIngest | kForReading, kEverywhere, kEvents, "N", "json.depth_max",
               "A line that nests deeper is a bad line.",
               [](Settings& s) -> Target { return Count{&s.engine.json.depth_max}; }},

    OptionInfo{"threads", kForBoth, kEverywhere, kRun, "N", "",
               "ingest: files read at the same time; one file is read by one thread, so that its "
               "order is kept. load: threads that publish; each speaks for sources of its own.",
               [](Settings& s) -> Target { return Count{&s.threads}; }},
    OptionInfo{"max-bad", kForIngest, kEverywhere, kRun, "N", "",
               "Stop (exit code 4) at the bad line after the first N. Bad lines are always "
               "reported, counted and skipped.",
               [](Settings& s) -> Target { return Limit{&s.bad_max}; }},
    OptionInfo{"bad-file", kForIngest, kEverywhere, kRun, "FILE", "",
               "Append bad lines to FILE, byte for byte.",
               [](Settings& s) -> Target { return &s.bad_file; }},
    OptionInfo{"dead-letter", kForIngest, kEverywhere, kRun, "FILE", "",
               "Append each event that failed to FILE, as a line of JSON.",
               [](Settings& s) -> Target { return &s.dead_letter_file; }},
    OptionInfo{"from-dead-letter", kForIngest, kEverywhere, kRun, "FILE", "",
               "Publish again what --dead-letter wrote to FILE, in place of the operands. Events "
               "that it says may be in Kafka are repeated, with the same id. Repeatable.",
               [](Settings& s) -> Target { return &s.from_dead_letter; }},
    OptionInfo{"checkpoint", kForIngest, kEverywhere, kRun, "FILE", "",
               "Remember in FILE how far each input is done with, and go on from there: a run that "
               "was killed loses nothing. Files only, no pipes.",
               [](Settings& s) -> Target { return &s.checkpoint_file; }},
    OptionInfo{"drain-timeout", kForBoth, kEverywhere, kRun, "DURATION", "",
               "After SIGINT, SIGTERM or SIGHUP: how long to wait for the answers to what was "
               "read. A second signal ends at once.",
               [](Settings& s) -> Target { return &s.drain_timeout; }},
    OptionInfo{"metrics", kForIngest, kEverywhere, kRun, "HOST:PORT", "",
               "Serve /metrics for Prometheus and /healthz there while the command runs. Port 0: "
               "one that is free; the log says which.",
               [](Settings& s) -> Target { return &s.metrics_address; }},

    OptionInfo{"rate", kForLoad, kEverywhere, kLoad, "N", "",
               "Events a second, in all: an open loop, in which latency counts from when an event "
               "was meant to be sent. Unlimited: as fast as it goes.",
               [](Settings& s) -> Target { return Limit{&s.load.rate}; }},
    OptionInfo{"in-flight", kForLoad, kEverywhere, kLoad, "N", "",
               "A closed loop instead: at most so many events without an answer.",
               [](Settings& s) -> Target { return Limit{&s.load.in_flight}; }},
    OptionInfo{"events", kForLoad, kEverywhere, kLoad, "N", "",
               "End after so many events, besides those of the warm-up.",
               [](Settings& s) -> Target { return Limit{&s.load.events}; }},
    OptionInfo{"duration", kForLoad, kEverywhere, kLoad, "DURATION", "",
               "End after so long, besides the warm-up. With `events` and without this there is no "
               "such end.",
               [](Settings& s) -> Target { return &s.load.duration; }},
    OptionInfo{"warmup", kForLoad, kEverywhere, kLoad, "DURATION", "",
               "Publish for so long before anything is measured.",
               [](Settings& s) -> Target { return &s.load.warmup; }},
    OptionInfo{"ramp", kForLoad, kEverywhere, kLoad, "DURATION", "",
               "Let the rate grow evenly from 0 to `rate` from the start of the run on, warm-up "
               "included.",
               [](Settings& s) -> Target { return &s.load.ramp; }},
    OptionInfo{"size", kForLoad, kEverywhere, kLoad, "SIZE", "", "Bytes of a payload; random text.",
               [](Settings& s) -> Target { return Bytes{&s.load.payload_bytes}; }},
    OptionInfo{"payload-file", kForLoad, kEverywhere, kLoad, "FILE", "",
               "Take the payloads from FILE, a JSON object a line, one after the other and round "
               "again; each gets one member more, by which it can be verified.",
               [](Settings& s) -> Target { return &s.load.payload_file; }},
    OptionInfo{"sources", kForLoad, kEverywhere, kLoad, "N", "",
               "How many sources the events are about.",
               [](Settings& s) -> Target { return Count{&s.load.sources}; }},
    OptionInfo{"zipf", kForLoad, kEverywhere, kLoad, "S", "",
               "The source of rank r has a share of 1/r^S. 0: all have the same.",
               [](Settings& s) -> Target { return &s.load.zipf; }},
    OptionInfo{"seed", kForLoad, kEverywhere, kLoad, "N", "",
               "Decides which source each event is about, and the payloads.",
               [](Settings& s) -> Target { return Count{&s.load.seed}; }},
    OptionInfo{"subscribe", kForLoad, kEverywhere, kLoad, "", "",
               "Listen to Redis on a connection of its own, and measure when notifications come.",
               [](Settings& s) -> Target { return &s.load.subscribe; }},
    OptionInfo{
        "verify", kForLoad, kEverywhere, kLoad, "", "",
        "Read back at the end what the run has written, and count what is lost, doubled, out "
        "of order or corrupt.",
        [](Settings& s) -> Target { return &s.load.verify; }},
    OptionInfo{"require", kForLoad, kEverywhere, kLoad, "CONDITION", "",
               "What has to hold, such as ack.p99<20ms, rate>=9900 or lost==0; if it does not, the "
               "exit code is 7. Repeatable.",
               [](Settings& s) -> Target { return &s.load.requirements; }},

    OptionInfo{"listen", kForTail, kEverywhere, kReading, "CHANNEL", "",
               "A channel, or a pattern with * ? or [, to listen to. Repeatable. A pattern costs "
               "every PUBLISH on the server a little.",
               [](Settings& s) -> Target { return &s.tail.listen; }},
    OptionInfo{"last", kForTail, kEverywhere, kReading, "N", "",
               "Begin with the newest N events of each SOURCE, and N of all that is listened to.",
               [](Settings& s) -> Target { return &s.tail.last; }},
    OptionInfo{"since", kForTail, kEverywhere, kReading, "TIME", "",
               "Begin so long ago (10m) or at a time (2026-01-31T12:00:00Z).",
               [](Settings& s) -> Target { return &s.tail.since; }},
    OptionInfo{"from-offset", kForTail | kForReplay, kEverywhere, kReading, "PARTITION:OFFSET", "",
               "Begin at an offset of a partition; the others begin now. Repeatable.",
               [](Settings& s) -> Target { return &s.tail.from_offset; }},
    OptionInfo{"payload", kForTail, kEverywhere, kReading, "", "",
               "Show each event with its payload, which is fetched from Kafka.",
               [](Settings& s) -> Target { return &s.tail.payload; }},
    OptionInfo{"from-time", kForReplay, kEverywhere, kReading, "TIME", "",
               "Begin at a time (2026-01-31T12:00:00Z) or so long ago (10m).",
               [](Settings& s) -> Target { return &s.replay.from_time; }},
    OptionInfo{"to", kForReplay, kEverywhere, kReading, "END", "",
               "End before a time, or before an offset of a partition; without it, where the topic "
               "ends now. Repeatable.",
               [](Settings& s) -> Target { return &s.replay.to; }},
    OptionInfo{"only-source", kForReplay, kEverywhere, kReading, "TYPE:ID", "",
               "Only events of this source. Repeatable.",
               [](Settings& s) -> Target { return &s.replay.sources; }},
    OptionInfo{"only-type", kForReplay, kEverywhere, kReading, "TYPE", "",
               "Only events of this type. Repeatable.",
               [](Settings& s) -> Target { return &s.replay.types; }},
    OptionInfo{"to-stdout", kForReplay, kEverywhere, kReading, "", "",
               "Print each payload on a line; with --json an object for each event.",
               [](Settings& s) -> Target { return &s.replay.to_stdout; }},
    OptionInfo{"to-topic", kForReplay, kEverywhere, kReading, "TOPIC", "",
               "Publish each event to another topic of the same brokers.",
               [](Settings& s) -> Target { return &s.replay.to_topic; }},
    OptionInfo{"to-redis", kForReplay, kEverywhere, kReading, "", "",
               "Announce each event again, on replay-channel.",
               [](Settings& s) -> Target { return &s.replay.to_redis; }},
    OptionInfo{"replay-channel", kForReplay, kEverywhere, kReading, "TEMPLATE", "",
               "Where to-redis announces: never a channel of live events. Repeatable.",
               [](Settings& s) -> Target { return &s.replay.channels; }},
    OptionInfo{"rate", kForReplay, kFlag, kReading, "N", "", "Events a second at the most.",
               [](Settings& s) -> Target { return Limit{&s.replay.rate}; }},
    OptionInfo{"position", kForReplay, kEverywhere, kReading, "FILE", "",
               "Remember in FILE how far it came, and go on from there.",
               [](Settings& s) -> Target { return &s.replay.position_file; }},
    OptionInfo{"count", kForTail, kEverywhere, kReading, "N", "", "End after N events.",
               [](Settings& s) -> Target { return Limit{&s.tail.count}; }},

    OptionInfo{"json", kForIngest | kForReading | kForDoctor, kEverywhere, kOutput, "", "",
               "Print JSON: the ledger as one object, each update as an object on a line.",
               [](Settings& s) -> Target { return &s.json; }},
    OptionInfo{"json", kForLoad, kFlag, kOutput, "FILE|-", "",
               "Write everything that was measured as JSON to FILE, or to stdout in place of the "
               "text.",
               [](Settings& s) -> Target { return &s.load.json_file; }},
    OptionInfo{"csv", kForLoad, kFlag, kOutput, "FILE|-", "",
               "Write how the run went over time, a row an interval.",
               [](Settings& s) -> Target { return &s.load.csv_file; }},
    OptionInfo{"hgrm", kForLoad, kFlag, kOutput, "PREFIX", "",
               "Write PREFIX.publish.hgrm, PREFIX.ack.hgrm and PREFIX.notify.hgrm, as the tools of "
               "HdrHistogram read them.",
               [](Settings& s) -> Target { return &s.load.hgrm_prefix; }},
    OptionInfo{"html", kForLoad, kFlag, kOutput, "FILE", "",
               "Write a page with the figures and plots, all in one file.",
               [](Settings& s) -> Target { return &s.load.html_file; }},
    OptionInfo{"quiet", kForBoth | kForTail | kForReplay, kEverywhere, kOutput, "", "",
               "Print errors, warnings and bad lines only.",
               [](Settings& s) -> Target { return &s.quiet; }},
    OptionInfo{"progress", kForBoth, kEverywhere, kOutput, "WHEN", "",
               "auto (when stderr is a terminal), always or never.",
               [](Settings& s) -> Target { return &s.progress; }},
    OptionInfo{"log-level", kForBoth | kForTail | kForReplay, kEverywhere, kOutput, "LEVEL", "",
               "debug, info, warning or error.",
               [](Settings& s) -> Target { return &s.log_level; }},
    OptionInfo{"config", kForBoth | kForReading | kForDoctor, kFlag | kVariable, kOutput, "FILE",
               "", "Read options from FILE, one `name = value` a line.",
               [](Settings& s) -> Target { return &s.config_file; }},
    OptionInfo{"print-config", kForBoth | kForReading | kForDoctor, kFlag, kOutput, "", "",
               "Print every option, where its value comes from, and end.",
               [](Settings& s) -> Target { return &s.print_config; }},

    OptionInfo{"queue-events", kForBoth | kForDoctor, kEverywhere, kTuning, "N", "queue.events_max",
               "Events read and not answered for; at this many, reading waits.",
               [](Settings& s) -> Target { return Count{&s.engine.queue.events_max}; }},
    OptionInfo{"queue-bytes", kForBoth | kForDoctor, kEverywhere, kTuning, "SIZE",
               "queue.bytes_max", "The same in bytes.",
               [](Settings& s) -> Target { return Bytes{&s.engine.queue.bytes_max}; }},
    OptionInfo{"linger", kForBoth, kEverywhere, kTuning, "DURATION", "kafka.linger",
               "How long an event may wait for others to share its batch. 1ms to 5ms save CPU.",
               [](Settings& s) -> Target { return &s.engine.kafka.linger; }},
    OptionInfo{"batch-events", kForBoth, kEverywhere, kTuning, "N", "kafka.batch_events_max",
               "Events in a batch at the most.",
               [](Settings& s) -> Target { return Count{&s.engine.kafka.batch_events_max}; }},
    OptionInfo{"batch-bytes", kForBoth, kEverywhere, kTuning, "SIZE", "kafka.batch_bytes_max",
               "Bytes in a batch at the most; keep below the topic's max.message.bytes.",
               [](Settings& s) -> Target { return Bytes{&s.engine.kafka.batch_bytes_max}; }},
    OptionInfo{"clients", kForBoth, kEverywhere, kTuning, "N", "kafka.clients",
               "Kafka clients that share the sources out; more pay for few partitions far away.",
               [](Settings& s) -> Target { return Count{&s.engine.kafka.clients}; }},
    OptionInfo{"event-bytes", kForBoth | kForDoctor, kEverywhere, kTuning, "SIZE",
               "kafka.event_bytes_max",
               "A larger key and line is a bad line; keep below the topic's max.message.bytes.",
               [](Settings& s) -> Target { return Bytes{&s.engine.kafka.event_bytes_max}; }},
    OptionInfo{"redis-linger", kForBoth, kEverywhere, kTuning, "DURATION", "redis.linger",
               "How long a notification may wait for others of its channel, at least.",
               [](Settings& s) -> Target { return &s.engine.redis.linger; }},
    OptionInfo{"redis-linger-max", kForBoth, kEverywhere, kTuning, "DURATION", "redis.linger_max",
               "At most: twice as long as its event waited for Kafka beyond 5ms.",
               [](Settings& s) -> Target { return &s.engine.redis.linger_max; }},
    OptionInfo{"frame-events", kForBoth, kEverywhere, kTuning, "N", "redis.frame_events_max",
               "Notifications in one PUBLISH at the most.",
               [](Settings& s) -> Target { return Count{&s.engine.redis.frame_events_max}; }},
    OptionInfo{"frame-bytes", kForBoth, kEverywhere, kTuning, "SIZE", "redis.frame_bytes_max",
               "The same in bytes, about.",
               [](Settings& s) -> Target { return Bytes{&s.engine.redis.frame_bytes_max}; }},
    OptionInfo{"window-frames", kForBoth, kEverywhere, kTuning, "N", "redis.window_frames_max",
               "PUBLISH commands sent and not answered. More hide a longer round trip.",
               [](Settings& s) -> Target { return Count{&s.engine.redis.window_frames_max}; }},
    OptionInfo{"notifications", kForBoth | kForDoctor, kEverywhere, kTuning, "N",
               "redis.notifications_max",
               "Notifications held while Redis is slow or away; beyond it the oldest is dropped.",
               [](Settings& s) -> Target { return Count{&s.engine.redis.notifications_max}; }},
    OptionInfo{"notification-bytes", kForBoth | kForDoctor, kEverywhere, kTuning, "SIZE",
               "redis.notification_bytes_max", "The same in bytes.",
               [](Settings& s) -> Target { return Bytes{&s.engine.redis.notification_bytes_max}; }},
    OptionInfo{"sources-remembered", kForBoth, kEverywhere, kTuning, "N",
               "redis.sources_remembered_max",
               "Sources whose last offset is remembered, to tell subscribers of gaps.",
               [](Settings& s) -> Target { return Count{&s.engine.redis.sources_remembered_max}; }},
    OptionInfo{"redis-connect-timeout", kForBoth | kForTail | kForReplay | kForDoctor, kEverywhere,
               kTuning, "DURATION", "redis.connect_timeout",
               "A connection that takes longer is made anew.",
               [](Settings& s) -> Target { return &s.engine.redis.connect_timeout; }},
    OptionInfo{"redis-reply-timeout", kForBoth | kForTail | kForReplay, kEverywhere, kTuning,
               "DURATION", "redis.reply_timeout",
               "A connection that owes replies and has sent none for this long is made anew.",
               [](Settings& s) -> Target { return &s.engine.redis.reply_timeout; }},
};

constexpr std::array<std::string_view, 2> kRequired{"brokers", "topic"};

}  // namespace

std::span<const OptionInfo> options() noexcept { return kOptions; }

std::string flag_name(const OptionInfo& option) { return std::string{"--"}.append(option.name); }

std::string variable_name(const OptionInfo& option) {
  std::string name = "DUALSTREAM_";
  for (const char c : option.name) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string default_text(const OptionInfo& option) {
  if (std::find(kRequired.begin(), kRequired.end(), option.name) != kRequired.end()) {
    return "required";
  }
  Settings settings;
  std::string text;
  for (const std::string& value : show(option.target(settings))) {
    text.append(text.empty() ? "" : " ").append(value);
  }
  return text.empty() ? "none" : text;
}

std::optional<std::size_t> find_option(std::string_view name) {
  for (std::size_t at = 0; at < kOptions.size(); ++at) {
    if (kOptions[at].name == name) return at;
  }
  return std::nullopt;
}

std::vector<std::string> known_names(unsigned place) {
  std::vector<std::string> names;
  for (const OptionInfo& option : kOptions) {
    if ((option.places & place) == 0) continue;
    names.push_back(place == kFlag       ? flag_name(option)
                    : place == kVariable ? variable_name(option)
                                         : std::string{option.name});
  }
  return names;
}

}  // namespace dualstream::command
