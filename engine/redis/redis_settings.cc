#include "redis/redis_settings.h"

#include <algorithm>
#include <random>
#include <utility>

#include "dualstream/event_view.h"
#include "redis/hiredis_connection.h"

namespace dualstream::redis {
namespace {

Coalescer::Limits limits_of(const RedisOptions& options) {
  return {
      .linger = options.linger,
      .linger_max = options.linger_max,
      .frame_events_max = options.frame_events_max,
      .frame_bytes_max = options.frame_bytes_max,
      .held_max = options.notifications_max - queue_half(options.notifications_max),
      .held_bytes_max = options.notification_bytes_max - queue_half(options.notification_bytes_max),
      .sources_remembered_max = options.sources_remembered_max};
}

}  // namespace

std::size_t queue_half(std::size_t bound) noexcept { return bound / 2; }

Status read_redis_options(const RedisOptions& options, RedisSettings& out) {
  RedisSettings made;
  if (Status status = parse_redis_address(options, made.address); !status.ok()) return status;
  if (Status status =
          parse_channel_templates(options.channels, options.buckets, made.worker.templates);
      !status.ok()) {
    return status;
  }
  made.worker.coalescing = limits_of(options);
  made.worker.window_frames_max = options.window_frames_max;
  made.worker.connect_timeout = options.connect_timeout;
  made.worker.reply_timeout = options.reply_timeout;
  made.worker.address_text = made.address.text();
  made.worker.username = made.address.username;
  made.worker.password = made.address.password;
  // Engines that lose the same server at the same moment should not come back at one.
  made.worker.backoff_seed = std::random_device{}();
  out = std::move(made);
  return {};
}

std::uint64_t redis_memory_bytes_max(const RedisOptions& options) {
  if (options.address.empty()) return 0;
  // A frame over its bound holds one notification; escaped, six bytes stand for one.
  const std::size_t message = std::max(6 * options.frame_bytes_max, message_bytes_max());
  // In a channel's name three bytes stand for one.
  const std::size_t channel = kTemplateBytesMax + 3 * (kSourceTypeBytesMax + kSourceIdBytesMax);
  return
      // Held notifications, frames, and what is remembered of sources and channels.
      Coalescer::memory_bytes_max(limits_of(options), options.channels.size())
      // Frames written without a reply.
      + Pipeline::memory_bytes_max(options.window_frames_max)
      // The message that is being made; strings grow by doubling.
      + 2 * message
      // What waits to be sent, and replies.
      + hiredis_connection_bytes_max(message + channel)
      // Notifications on their way from the queue to their frames.
      + RedisWorker::kNotificationsPerTurn *
            (sizeof(event::Notification) + kIdBytesMax + kTypeBytesMax + kSourceTypeBytesMax +
             kSourceIdBytesMax);
}

}  // namespace dualstream::redis
