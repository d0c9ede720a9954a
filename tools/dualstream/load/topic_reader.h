// TopicReader reads back what a run has written: from where each partition ended before it to where
// it ends now. The one file of the command that knows librdkafka.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "dualstream/options.h"
#include "dualstream/status.h"

namespace dualstream::command {

struct TopicRecord {
  std::int32_t partition = -1;
  std::int64_t offset = -1;
  std::string_view key;
  std::string_view value;
};

// It needs no consumer group and commits nothing.
//
// Thread: one.
class TopicReader {
 public:
  // Connects with the engine's options and remembers where each partition ends.
  [[nodiscard]] static Status open(const KafkaOptions& options,
                                   std::unique_ptr<TopicReader>& reader);
  TopicReader(const TopicReader&) = delete;
  TopicReader& operator=(const TopicReader&) = delete;
  ~TopicReader();

  // Hands over every record since open(), each partition in its order; a partition that is new
  // since then, whole. Fails when nothing comes for half a minute. `go_on` is asked now and then.
  [[nodiscard]] Status read_new(const std::function<void(const TopicRecord&)>& take,
                                const std::function<bool()>& go_on);

  // How many offsets the topic had dropped before they could be read (its retention is too short).
  [[nodiscard]] std::uint64_t expired() const noexcept { return expired_; }

 private:
  class Client;
  explicit TopicReader(std::unique_ptr<Client> client);

  // Starts every partition that has something new; `ends` are where each ends now, or 0.
  [[nodiscard]] Status start_reading(std::vector<std::int64_t>& ends);

  std::unique_ptr<Client> client_;
  std::vector<std::int64_t> begins_;  // By partition.
  std::uint64_t expired_ = 0;
};

}  // namespace dualstream::command
