#include "listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "event_mark.h"
#include "payloads.h"
#include "redis/redis_address.h"
#include "redis_client.h"
#include "text.h"

namespace dualstream::command {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRetryAfter{500};

}  // namespace

std::string pattern_of(std::string_view channel_template) {
  std::string pattern;
  while (!channel_template.empty()) {
    const char first = channel_template.front();
    const std::size_t end = first == '{' ? channel_template.find('}') : std::string_view::npos;
    if (end != std::string_view::npos) {
      pattern += channel_template.substr(0, end + 1) == "{source_type}" ? kLoadSourceType
                                                                        : std::string_view{"*"};
      channel_template.remove_prefix(end + 1);
      continue;
    }
    if (std::string_view{"*?[]\\"}.find(first) != std::string_view::npos) pattern += '\\';
    pattern += first;
    channel_template.remove_prefix(1);
  }
  return pattern;
}

Listener::Listener(const ListenerOptions& options, const RunClock& clock, Console& console,
                   int wake_fd)
    : clock_(clock),
      console_(console),
      wake_fd_(wake_fd),
      needle_([&options] {
        std::string text = R"("id":")";
        text.append(kRunDigits, '0');
        write_hex(text.data() + text.size() - kRunDigits, options.run, kRunDigits);
        return text;
      }()),
      run_(options.run),
      latency_(options.warmup) {
  for (const std::string& channel : options.redis.channels)
    patterns_.push_back(pattern_of(channel));
}

Status Listener::start(const ListenerOptions& options, const RunClock& clock, Console& console,
                       std::unique_ptr<Listener>& listener) {
  redis::RedisAddress address;
  if (Status status = redis::parse_redis_address(options.redis, address); !status.ok()) {
    return status;
  }
  const int wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0) {
    return Status::error(StatusCode::exhausted, "the system refused an event descriptor: " +
                                                    std::generic_category().message(errno));
  }
  // tidy: allow(naked_new) the constructor is private
  listener.reset(new Listener{options, clock, console, wake_fd});
  Listener* self = listener.get();
  self->connection_ =
      std::make_unique<RedisClient>(std::move(address), options.redis.connect_timeout);
  return self->thread_.start("ds-listener", [self] { self->run(); });
}

Listener::~Listener() {
  stop();
  ::close(wake_fd_);
}

void Listener::stop() {
  // Only a counter that is full could refuse.
  [[maybe_unused]] const int written = ::eventfd_write(wake_fd_, 1);
  thread_.join();
}

bool Listener::wait_until_subscribed(milliseconds timeout) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, timeout, [this] { return subscribed_; });
}

void Listener::set_subscribed(bool subscribed) {
  {
    const std::lock_guard lock{mutex_};
    subscribed_ = subscribed;
  }
  changed_.notify_all();
}

// Empty, or what went wrong.
std::string Listener::subscribe() {
  if (std::string failure = connection_->connect(); !failure.empty()) return failure;
  std::vector<std::string> words{"PSUBSCRIBE"};
  words.insert(words.end(), patterns_.begin(), patterns_.end());
  // Each pattern is answered by itself.
  std::string wrong = connection_->wrong_with(connection_->ask(words));
  for (std::size_t i = 1; i < patterns_.size() && wrong.empty(); ++i) {
    wrong = connection_->wrong_with(connection_->next());
  }
  return wrong;
}

void Listener::run() {
  bool told = false;  // That there is no subscription.
  pollfd wake{.fd = wake_fd_, .events = POLLIN, .revents = 0};
  while (::poll(&wake, 1, 0) <= 0) {
    std::string failure = subscribe();
    if (failure.empty()) {
      if (told) console_.log(LogLevel::info, "load: the subscriber listens to Redis again");
      told = false;
      set_subscribed(true);
      listen(*connection_);
      set_subscribed(false);
      if (::poll(&wake, 1, 0) > 0) break;
      losses_.fetch_add(1);
      failure = connection_->failure();
    }
    if (!told) {
      console_.log(LogLevel::warning, concat({"load: the subscriber has no connection to Redis at ",
                                              connection_->address().text(), " (", failure,
                                              "); what is notified meanwhile is not received"}));
      told = true;
    }
    connection_->close();
    ::poll(&wake, 1, static_cast<int>(kRetryAfter.count()));
  }
}

// Returns when the connection is lost or it has to end.
void Listener::listen(RedisClient& connection) {
  while (true) {
    std::array<pollfd, 2> fds{{{.fd = connection.fd(), .events = POLLIN, .revents = 0},
                               {.fd = wake_fd_, .events = POLLIN, .revents = 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR, the only error it can have.
    if (fds[1].revents != 0) return;
    if (!connection.read()) return;
    const std::chrono::nanoseconds now = clock_.now();
    Reply reply;
    while (true) {
      if (!connection.next_read(reply)) return;
      if (!reply) break;
      // pmessage, pattern, channel, message
      if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 4) {
        take(text_of(*reply->element[3]), now);
      }
    }
  }
}

// Every id that it carries, the newest and those in `earlier`, if they are of this run.
void Listener::take(std::string_view message, std::chrono::nanoseconds now) {
  constexpr std::size_t kIdAt = std::string_view{R"("id":")"}.size();
  std::uint64_t count = 0;
  for (std::size_t at = message.find(needle_); at != std::string_view::npos;
       at = message.find(needle_, at + needle_.size())) {
    const std::optional<std::uint64_t> tag = tag_in(message.substr(at + kIdAt, kMarkIdBytes), run_);
    if (!tag) continue;
    latency_.record(mark_of(*tag, now).since_start, now);
    ++count;
  }
  if (count > 0) received_.fetch_add(count);
}

}  // namespace dualstream::command
