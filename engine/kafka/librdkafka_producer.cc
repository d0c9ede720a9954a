#include "kafka/librdkafka_producer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <utility>

#include "base/check.h"
#include "kafka/introductions.h"
#include "kafka/librdkafka_client.h"
#include "kafka/outstanding.h"
#include "kafka/topic_watcher.h"

namespace dualstream::kafka {
namespace {

using std::chrono::milliseconds;

// A topic that the cluster does not know may be one that it is just creating for us.
constexpr milliseconds kUnknownTopicGrace{1'500};
constexpr milliseconds kConnectSlice{250};
// How long connect() waits for the topic's limit, which it can do without.
constexpr milliseconds kLimitWait{1'000};
// Notices that nobody polled yet; more are of no use to anybody.
constexpr std::size_t kNoticesMax = 64;

// A client that dies at once again is not replaced more often than this.
constexpr milliseconds kRebuildPause{1'000};
// How long a dying client is listened to, all in all and at a time.
constexpr milliseconds kLastReportsWait{1'000};
constexpr milliseconds kLastReportsSlice{10};

// How many events ahead are fetched into the cache: a backlog is larger than it.
constexpr std::size_t kPrefetch = 16;

// Written by librdkafka to the worker's eventfd.
constexpr std::uint64_t kWakeUp = 1;

std::string seconds_text(base::Duration duration) {
  const auto ms = std::chrono::duration_cast<milliseconds>(duration).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

// librdkafka before 2.6.1 sends a SCRAM message that Kafka 4 takes for wrong credentials (its pull
// request 4895).
std::string scram_hint(const KafkaOptions& options) {
  constexpr int kMended = 0x020601;  // As rd_kafka_version() has it in its upper three bytes.
  const bool scram = std::ranges::any_of(options.properties, [](const auto& property) {
    return property.first.starts_with("sasl.mechanism") && property.second.starts_with("SCRAM");
  });
  if (!scram || (rd_kafka_version() >> 8) >= kMended) return "";
  return std::string{" (the linked librdkafka "} + rd_kafka_version_str() +
         " cannot log in to Kafka 4 with SCRAM, whatever the password; 2.6.1 can, and PLAIN over "
         "TLS works)";
}

Status system_refused(const std::string& why) {
  return Status::error(StatusCode::exhausted,
                       "the system refused librdkafka what it needs (" + why +
                           "); raise its limits on processes and open files (ulimit -u, -n)");
}

class LibrdkafkaProducer final : public KafkaProducer {
 public:
  LibrdkafkaProducer(const KafkaOptions& options, base::Parker& consumer)
      : options_(options), consumer_(consumer) {}

  ~LibrdkafkaProducer() override {
    std::vector<Report> reports;
    close(reports);
    CHECK(reports.empty(), "the worker closes the producer and takes the last reports");
  }

  [[nodiscard]] Status start() {
    Owned<rd_kafka_conf_t> conf;
    if (Status status = make_producer_conf(options_, conf); !status.ok()) return status;
    std::array<char, 512> error{};
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), error.data(), error.size()));
    if (!client_ && rd_kafka_last_error() == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE) {
      return system_refused(error.data());
    }
    if (!client_) {
      return Status::error(StatusCode::invalid_options,
                           std::string{"kafka.properties: librdkafka cannot start with them: "} +
                               error.data() + "; correct the property that it names",
                           "kafka.properties");
    }
    static_cast<void>(conf.release());  // The client owns it now.
    events_.reset(rd_kafka_queue_get_main(client_.get()));
    rd_kafka_set_log_queue(client_.get(), events_.get());
    topic_.reset(rd_kafka_topic_new(client_.get(), options_.topic.c_str(), nullptr));
    if (!topic_) {
      return Status::error(StatusCode::invalid_options,
                           "kafka.topic: librdkafka refuses `" + options_.topic +
                               "`: " + rd_kafka_err2str(rd_kafka_last_error()),
                           "kafka.topic");
    }
    return {};
  }

  [[nodiscard]] Status connect(base::Duration timeout) override {
    read_notices();
    if (refused_by_system_) return system_refused(last_error_text_);
    Status status = await_topic(timeout);
    if (Status watching = watch(); !watching.ok()) return watching;
    return status;
  }

  void produce(std::int32_t partition, event::EventList& events,
               std::vector<Report>& refused) override {
    if (introductions_.known(partition)) {
      hand_over(partition, events, refused);
      return;
    }
    introductions_.wait_behind(partition, std::exchange(events, {}));
    hand_over_next(partition, refused);
  }

  // One produce call. What the client has no room for stays in `events`.
  void hand_over(std::int32_t partition, event::EventList& events, std::vector<Report>& refused) {
    const std::size_t count = events.size();
    messages_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (i + kPrefetch < count) event::Event::prefetch(&events[i + kPrefetch]);
      const event::Event& event = events[i];
      rd_kafka_message_t& message = messages_[i];
      message = {};
      message.payload = as_mutable(event.payload().data());
      message.len = event.payload().size();
      message.key = as_mutable(event.source_id().data());
      message.key_len = event.source_id().size();
      message._private = as_mutable(&event);
    }
    // The partition is named once for all: with RD_KAFKA_MSG_F_PARTITION librdkafka (2.0.2 and
    // later) loses its own message for each one whose topic or partition is gone.
    const int taken = rd_kafka_produce_batch(topic_.get(), partition, 0, messages_.data(),
                                             static_cast<int>(count));
    if (static_cast<std::size_t>(taken) == count) [[likely]] {
      outstanding_.add(partition, events);
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const rd_kafka_resp_err_t error = messages_[i].err;
      event::EventPtr event = events.pop_front();
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        outstanding_.add(partition, std::move(event));
      } else if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL || error == RD_KAFKA_RESP_ERR__FATAL) {
        // librdkafka gives it to all that follow, too: what goes behind is the rest, in order.
        events.push_back(std::move(event));
      } else {
        refused.push_back(failed_report(std::move(event), partition, error, Persisted::no));
      }
    }
  }

  [[nodiscard]] std::size_t poll_reports(std::span<Report> out) override {
    std::size_t count = 0;
    while (count < out.size() && !ready_.empty()) {
      out[count++] = std::move(ready_.front());
      ready_.pop_front();
    }
    while (count < out.size()) {
      const rd_kafka_message_t* message = next_message();
      if (message == nullptr) break;
      if (!stays_outstanding(*message)) out[count++] = report_of(*message);
    }
    if (introductions_.waiting() > 0) hand_over_waiting();
    if (fatal_ && base::Clock::now() >= rebuild_at_) rebuild();
    return count;
  }

  [[nodiscard]] bool poll_topic(TopicView& out) override {
    if (first_view_) {
      out = *std::exchange(first_view_, std::nullopt);
      return true;
    }
    if (!watcher_) return false;
    std::optional<TopicAnswer> answer = watcher_->poll();
    if (!answer) return false;
    if (answer->status.ok()) {
      out = std::move(answer->view);
      return true;
    }
    // "No broker answered" is said by the client itself, with the address; the rest only the
    // watcher knows.
    if (answer->status.code != StatusCode::unreachable) {
      notice({NoticeKind::topic, std::move(answer->status.message)});
    }
    return false;
  }

  [[nodiscard]] bool poll_notice(Notice& out) override {
    if (notices_.empty()) return false;
    out = std::move(notices_.front());
    notices_.pop_front();
    return true;
  }

  void purge() override {
    giving_up_ = true;
    fail_waiting(RD_KAFKA_RESP_ERR__DESTROY);
    if (client_) rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  }

  void close(std::vector<Report>& reports) override {
    giving_up_ = true;
    watcher_.reset();
    if (client_) {
      std::array<Report, 256> some;
      while (const std::size_t count = poll_reports(some)) {
        std::move(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count),
                  std::back_inserter(reports));
      }
    }
    close_client();
    fail_outstanding(RD_KAFKA_RESP_ERR__DESTROY);
    fail_waiting(RD_KAFKA_RESP_ERR__DESTROY);
    std::move(ready_.begin(), ready_.end(), std::back_inserter(reports));
    ready_.clear();
  }

  void raise_fatal_error(const char* reason) {
    rd_kafka_test_fatal_error(client_.get(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                              reason);
  }

  [[nodiscard]] int wake_fd() const override { return consumer_.event_fd(); }

  [[nodiscard]] base::TimePoint answered_at() const override {
    return answered_at_.load(std::memory_order_acquire);
  }

  [[nodiscard]] base::TimePoint poll_at() const override {
    if (!ready_.empty()) return base::TimePoint{};
    return fatal_ ? rebuild_at_ : base::kNever;
  }

 private:
  static void* as_mutable(const void* what) {
    // librdkafka's message type has no const: it reads a key and a payload, and hands an opaque
    // back.
    return const_cast<void*>(what);
  }

  static Report failed_report(event::EventPtr event, std::int32_t partition,
                              rd_kafka_resp_err_t error, Persisted persisted) {
    return {.event = std::move(event),
            .lane = partition,
            .partition = partition,
            .offset = -1,
            .failure = failure_of(error),
            .persisted = persisted,
            .detail = rd_kafka_err2str(error)};
  }

  [[nodiscard]] Report report_of(const rd_kafka_message_t& message) {
    event::EventPtr event =
        outstanding_.take(message.partition, static_cast<const event::Event*>(message._private));
    event::Event::prefetch(event.get());  // Its outcome is told next.
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (message.offset >= 0 || options_.allow_unsafe) {
        introductions_.learn(message.partition);
        return {.event = std::move(event),
                .lane = message.partition,
                .partition = message.partition,
                .offset = message.offset};
      }
      // The broker took it for a repeat and did not say of what. It may be there; nobody knows
      // where.
      introductions_.doubt(message.partition);
      Report report = failed_report(std::move(event), message.partition,
                                    RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, Persisted::maybe);
      report.detail = "the broker took it for a repeat and gave no offset";
      return report;
    }
    introductions_.doubt(message.partition);
    // The topic's limit is not what we know, or the batch would have been smaller.
    if (message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && watcher_) watcher_->ask_now();
    const bool untouched = rd_kafka_message_status(&message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
    // Purged, though nobody asked for it: the client let go of a partition that is no more.
    const bool partition_gone = failure_of(message.err) == Failure::stopped && !giving_up_;
    const rd_kafka_resp_err_t error =
        partition_gone ? RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION : message.err;
    if (fails_all(failure_of(error))) fail_waiting_behind(message.partition, error);
    return failed_report(std::move(event), message.partition, error,
                         untouched ? Persisted::no : Persisted::maybe);
  }

  // The next report of the event being read, or of the next one that has any; notices are put aside
  // on the way.
  [[nodiscard]] const rd_kafka_message_t* next_message(milliseconds wait = {}) {
    for (;;) {
      if (current_) {
        if (const rd_kafka_message_t* message = rd_kafka_event_message_next(current_.get())) {
          return message;
        }
      }
      current_.reset(rd_kafka_queue_poll(events_.get(), static_cast<int>(wait.count())));
      if (!current_) return nullptr;
      take_notice(*current_);
    }
  }

  [[nodiscard]] Status watch() {
    rd_kafka_queue_io_event_enable(events_.get(), consumer_.event_fd(), &kWakeUp, sizeof kWakeUp);
    watcher_ = std::make_unique<TopicWatcher>(*client_, *topic_, consumer_, answered_at_);
    if (watcher_->start()) return {};
    return Status::error(StatusCode::exhausted,
                         "the system refused a thread; raise its limit on processes (ulimit -u)");
  }

  // Only after this does the client no longer read the events' bytes.
  void close_client() {
    watcher_.reset();
    current_.reset();
    topic_.reset();
    events_.reset();
    client_.reset();
  }

  void fail_outstanding(rd_kafka_resp_err_t error) {
    for (std::int32_t partition = 0; partition < outstanding_.partitions(); ++partition) {
      event::EventList left = outstanding_.take_all(partition);
      while (!left.empty()) {
        ready_.push_back(failed_report(left.pop_front(), partition, error, Persisted::maybe));
      }
    }
  }

  // A failure that a dead client reports is no answer of Kafka's: the event is sent again by the
  // next client.
  [[nodiscard]] bool stays_outstanding(const rd_kafka_message_t& message) {
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR || giving_up_) return false;
    if (rd_kafka_fatal_error(client_.get(), nullptr, 0) == RD_KAFKA_RESP_ERR_NO_ERROR) return false;
    fatal_ = true;
    held_back_ += 1;
    return true;
  }

  // What waits behind an introduction goes on when that is over: all of it, or, if it failed, the
  // next one alone.
  void hand_over_waiting() {
    std::vector<Report> refused;
    for (std::int32_t partition = 0; partition < introductions_.partitions(); ++partition) {
      if (outstanding_.none_of(partition)) hand_over_next(partition, refused);
    }
    std::move(refused.begin(), refused.end(), std::back_inserter(ready_));
  }

  void hand_over_next(std::int32_t partition, std::vector<Report>& refused) {
    event::EventList events = introductions_.take_waiting(partition);
    if (introductions_.known(partition)) {
      hand_over(partition, events, refused);
    }
    while (!events.empty() && outstanding_.none_of(partition)) {
      event::EventList first;
      first.push_back(events.pop_front());
      hand_over(partition, first, refused);
      if (first.empty()) continue;
      events.splice_front(std::move(first));  // There is no room, or the client has died.
      break;
    }
    introductions_.wait_behind(partition, std::move(events));
  }

  // They never left.
  void fail_waiting_behind(std::int32_t partition, rd_kafka_resp_err_t error) {
    event::EventList events = introductions_.take_waiting(partition);
    while (!events.empty()) {
      ready_.push_back(failed_report(events.pop_front(), partition, error, Persisted::no));
    }
  }

  void fail_waiting(rd_kafka_resp_err_t error) {
    for (std::int32_t partition = 0; partition < introductions_.partitions(); ++partition) {
      fail_waiting_behind(partition, error);
    }
  }

  // Whether what failed one event would have failed all that were handed over with it.
  [[nodiscard]] static bool fails_all(Failure failure) noexcept {
    return failure == Failure::timed_out || failure == Failure::unauthorized ||
           failure == Failure::unknown_topic;
  }

  // A fatal error ends an idempotent client for good (librdkafka's INTRODUCTION.md, "Idempotent
  // producer fatal errors"). A new one takes its place, and what has no answer is sent again, in
  // order: what Kafka already had is there twice, with the same id.
  void rebuild() {
    std::array<char, 512> text{};
    const rd_kafka_resp_err_t why = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
    take_last_reports();
    close_client();
    held_back_ = 0;
    fatal_ = false;
    rebuild_at_ = base::Clock::now() + kRebuildPause;
    if (failure_of(why) == Failure::unauthorized) {
      fail_outstanding(why);
      fail_waiting(why);
    }
    notice({NoticeKind::rebuilt, std::string{"the client ended with a fatal error ("} +
                                     text.data() + "); a new one sends " +
                                     std::to_string(outstanding_.size()) +
                                     " events again, which may stand twice with the same id"});
    Status started = start();
    if (started.ok()) started = watch();
    // The same options were good enough for the first client; what can be missing now is memory, a
    // thread or a descriptor.
    CHECK(started.ok(), "the system has what a second client needs, as it had for the first");
    std::vector<Report> refused;
    introductions_.doubt_all();
    for (std::int32_t partition = 0; partition < outstanding_.partitions(); ++partition) {
      event::EventList again = take_as_doubtful(partition);
      again.splice_back(introductions_.take_waiting(partition));
      if (!again.empty()) produce(partition, again, refused);
    }
    std::move(refused.begin(), refused.end(), std::back_inserter(ready_));
  }

  [[nodiscard]] event::EventList take_as_doubtful(std::int32_t partition) {
    event::EventList left = outstanding_.take_all(partition);
    event::EventList doubtful;
    while (!left.empty()) {
      event::EventPtr event = left.pop_front();
      event->set_may_be_in_log();
      doubtful.push_back(std::move(event));
    }
    return doubtful;
  }

  // Waits for what the dying client still has to say, so that what was acknowledged is not sent
  // again.
  void take_last_reports() {
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    const base::TimePoint deadline = base::Clock::now() + kLastReportsWait;
    while (outstanding_.size() > held_back_ && base::Clock::now() < deadline) {
      const rd_kafka_message_t* message = next_message(kLastReportsSlice);
      if (message != nullptr && !stays_outstanding(*message)) ready_.push_back(report_of(*message));
    }
  }

  void take_notice(rd_kafka_event_t& event) {
    switch (rd_kafka_event_type(&event)) {
      case RD_KAFKA_EVENT_ERROR:
        last_error_ = rd_kafka_event_error(&event);
        // Not every fatal error is told as one: a principal that may write nowhere gets no producer
        // id, and the client ends with CLUSTER_AUTHORIZATION_FAILED.
        if (rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
          fatal_ = !giving_up_;
        }
        if (last_error_ == RD_KAFKA_RESP_ERR__FATAL) break;  // rebuild() tells of it.
        if (refused_by_system_) break;  // What follows is only its consequence.
        last_error_text_ = rd_kafka_event_error_string(&event);
        refused_by_system_ = last_error_ == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
        last_kind_ = notice_kind_of(last_error_);
        // A broker that does not like our certificate says so after the handshake, by an alert that
        // the client reports as a broken connection.
        if (last_kind_ == NoticeKind::unreachable &&
            last_error_text_.find("SSL alert") != std::string::npos) {
          last_kind_ = NoticeKind::unauthorized;
        }
        notice({last_kind_, last_error_text_});
        break;
      case RD_KAFKA_EVENT_LOG: {
        const char* facility = nullptr;
        const char* text = nullptr;
        int level = 0;
        if (rd_kafka_event_log(&event, &facility, &text, &level) == 0) {
          notice({NoticeKind::info, text});
        }
        break;
      }
      default:
        break;
    }
  }

  void notice(Notice notice) {
    if (notices_.size() < kNoticesMax) notices_.push_back(std::move(notice));
  }

  // Reads what the client says by itself, for connect(), when nothing was produced yet.
  void read_notices() {
    while (next_message() != nullptr) {
    }
  }

  [[nodiscard]] Status await_topic(base::Duration timeout) {
    const base::TimePoint start = base::Clock::now();
    base::TimePoint now = start;
    Status last = Status::error(StatusCode::unreachable, "no time to ask");
    while (now - start < timeout) {
      const base::Duration left = timeout - (now - start);
      TopicAnswer answer =
          ask_for_topic(*client_, *topic_, std::min<base::Duration>(left, kConnectSlice));
      if (answer.status.ok()) {
        const base::Duration rest = timeout - (base::Clock::now() - start);
        answer.view.message_bytes_max = ask_for_message_bytes_max(
            *client_, *topic_, std::min<base::Duration>(rest, kLimitWait));
        first_view_ = std::move(answer.view);
        answered_at_.store(base::Clock::now(), std::memory_order_release);
        return {};
      }
      last = std::move(answer.status);
      now = base::Clock::now();
      if (last.code == StatusCode::unauthorized) return last;
      if (last.code == StatusCode::unknown_topic && now - start >= kUnknownTopicGrace) return last;
      read_notices();
      if (last_kind_ == NoticeKind::unauthorized) {
        return Status::error(StatusCode::unauthorized,
                             "kafka.brokers: " + options_.brokers +
                                 " refused us: " + last_error_text_ +
                                 "; check security.protocol and the sasl.* or ssl.* properties" +
                                 scram_hint(options_),
                             "kafka.properties");
      }
    }
    if (last.code != StatusCode::unreachable) return last;
    const std::string why = last_error_text_.empty() ? last.message : last_error_text_;
    return Status::error(
        StatusCode::unreachable,
        "kafka.brokers: no broker at " + options_.brokers + " answered for topic `" +
            options_.topic + "` within " + seconds_text(timeout) + " (" + why +
            "); check the address, and that the broker runs and can be reached from here",
        "kafka.brokers");
  }

  const KafkaOptions options_;
  base::Parker& consumer_;
  std::atomic<base::TimePoint> answered_at_{base::TimePoint{}};  // Written by the watcher.

  // In the order in which they have to be closed, from the last to the first.
  Owned<rd_kafka_t> client_;
  Owned<rd_kafka_queue_t> events_;
  Owned<rd_kafka_topic_t> topic_;
  std::unique_ptr<TopicWatcher> watcher_;

  Owned<rd_kafka_event_t> current_;  // Whose reports are being read.
  Outstanding outstanding_;
  Introductions introductions_;
  std::vector<rd_kafka_message_t> messages_;  // Kept for their memory.
  std::deque<Report> ready_;                  // Known, and not polled yet.
  std::optional<TopicView> first_view_;
  std::deque<Notice> notices_;
  bool refused_by_system_ = false;  // It got no thread for a broker, and will not try again.
  rd_kafka_resp_err_t last_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  NoticeKind last_kind_ = NoticeKind::info;
  std::string last_error_text_;

  bool giving_up_ = false;  // What fails now has failed.
  bool fatal_ = false;      // The client is dead and has to be replaced.
  std::size_t held_back_ =
      0;  // Events that the dead client has reported and that stay outstanding.
  base::TimePoint rebuild_at_{};
};

}  // namespace

Status make_librdkafka_producer(const KafkaOptions& options, base::Parker& consumer,
                                std::unique_ptr<KafkaProducer>& producer) {
  auto made = std::make_unique<LibrdkafkaProducer>(options, consumer);
  if (Status status = made->start(); !status.ok()) return status;
  producer = std::move(made);
  return {};
}

void raise_fatal_error(KafkaProducer& producer, const char* reason) {
  static_cast<LibrdkafkaProducer&>(producer).raise_fatal_error(reason);
}

std::string librdkafka_version() { return rd_kafka_version_str(); }

}  // namespace dualstream::kafka
