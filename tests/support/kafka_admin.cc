#include "support/kafka_admin.h"

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include <librdkafka/rdkafka.h>

namespace dualstream::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kTimeoutMs = 15'000;

template <auto destroy>
struct Destroy {
  template <typename T>
  void operator()(T* object) const noexcept {
    destroy(object);
  }
};
template <typename T, auto destroy>
using Owned = std::unique_ptr<T, Destroy<destroy>>;

using ErrorText = std::array<char, 512>;

[[noreturn]] void fail(const std::string& what, const char* why) {
  throw std::runtime_error{what + ": " + why};
}

class Admin {
 public:
  explicit Admin(const std::string& brokers) {
    ErrorText error{};
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    for (const auto& [name, value] :
         {std::pair{"bootstrap.servers", brokers.c_str()}, std::pair{"socket.timeout.ms", "5000"},
          std::pair{"log_level", "2"}}) {
      if (rd_kafka_conf_set(conf, name, value, error.data(), error.size()) != RD_KAFKA_CONF_OK) {
        rd_kafka_conf_destroy(conf);
        fail(name, error.data());
      }
    }
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, error.data(), error.size()));
    if (client_ == nullptr) {
      rd_kafka_conf_destroy(conf);
      fail("librdkafka", error.data());
    }
    queue_.reset(rd_kafka_queue_new(client_.get()));
  }

  // Sends one request and returns its answer, which must be of the kind asked for.
  template <typename Send>
  Owned<rd_kafka_event_t, rd_kafka_event_destroy> ask(const std::string& what,
                                                      rd_kafka_admin_op_t op, Send&& send) {
    ErrorText error{};
    const Owned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy> options{
        rd_kafka_AdminOptions_new(client_.get(), op)};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), kTimeoutMs, error.data(),
                                              error.size());
    if (op != RD_KAFKA_ADMIN_OP_ALTERCONFIGS && op != RD_KAFKA_ADMIN_OP_CREATEACLS &&
        op != RD_KAFKA_ADMIN_OP_DELETEACLS) {
      rd_kafka_AdminOptions_set_operation_timeout(options.get(), kTimeoutMs, error.data(),
                                                  error.size());
    }
    send(client_.get(), options.get(), queue_.get());
    Owned<rd_kafka_event_t, rd_kafka_event_destroy> event{
        rd_kafka_queue_poll(queue_.get(), kTimeoutMs + 1000)};
    if (event == nullptr) {
      fail(what, "no answer");
    }
    if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      fail(what, rd_kafka_event_error_string(event.get()));
    }
    return event;
  }

  using Metadata = Owned<const rd_kafka_metadata_t, rd_kafka_metadata_destroy>;

  // The topic as the cluster sees it, or nothing when it has no such topic or does not answer.
  // Asks for all topics, because asking for one by name may create it.
  template <typename Use>
  void look_at(const std::string& topic, Use&& use) {
    const rd_kafka_metadata_t* raw = nullptr;
    if (rd_kafka_metadata(client_.get(), 1, nullptr, &raw, 5000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return;
    }
    const Metadata metadata{raw};
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      if (topic == metadata->topics[i].topic) {
        use(metadata->topics[i]);
      }
    }
  }

  // How many partitions have a leader; -1 when there is no such topic.
  int partitions_led(const std::string& topic) {
    int led = -1;
    look_at(topic, [&led](const rd_kafka_metadata_topic_t& found) {
      led = 0;
      for (int i = 0; i < found.partition_cnt; ++i) {
        led += found.partitions[i].leader >= 0 ? 1 : 0;
      }
    });
    return led;
  }

  void wait_for_partitions(const std::string& what, const std::string& topic, int count) {
    const auto deadline = std::chrono::steady_clock::now() + 15s;
    while (partitions_led(topic) != count) {
      if (std::chrono::steady_clock::now() > deadline) {
        fail(what, "the brokers' metadata do not show it");
      }
      // tidy: allow(sleep) metadata can only be asked for again
      std::this_thread::sleep_for(5ms);
    }
  }

 private:
  Owned<rd_kafka_t, rd_kafka_destroy> client_;
  Owned<rd_kafka_queue_t, rd_kafka_queue_destroy> queue_;
};

void check(const std::string& what, const rd_kafka_topic_result_t* result) {
  if (rd_kafka_topic_result_error(result) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* text = rd_kafka_topic_result_error_string(result);
    fail(what, text != nullptr ? text : rd_kafka_err2str(rd_kafka_topic_result_error(result)));
  }
}

}  // namespace

void create_topic(const std::string& brokers, const std::string& topic,
                  const TopicOptions& options) {
  const std::string what = "create topic " + topic;
  Admin admin{brokers};
  ErrorText error{};
  const Owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy> request{rd_kafka_NewTopic_new(
      topic.c_str(), options.partitions, options.replicas, error.data(), error.size())};
  if (request == nullptr) {
    fail(what, error.data());
  }
  for (const auto& [name, value] : options.config) {
    rd_kafka_NewTopic_set_config(request.get(), name.c_str(), value.c_str());
  }
  rd_kafka_NewTopic_t* list = request.get();
  const auto event = admin.ask(
      what, RD_KAFKA_ADMIN_OP_CREATETOPICS,
      [&list](rd_kafka_t* client, const rd_kafka_AdminOptions_t* how, rd_kafka_queue_t* queue) {
        rd_kafka_CreateTopics(client, &list, 1, how, queue);
      });
  std::size_t count = 0;
  check(what, rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()),
                                                  &count)[0]);
  admin.wait_for_partitions(what, topic, options.partitions);
}

void delete_topic(const std::string& brokers, const std::string& topic) {
  const std::string what = "delete topic " + topic;
  Admin admin{brokers};
  const Owned<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy> request{
      rd_kafka_DeleteTopic_new(topic.c_str())};
  rd_kafka_DeleteTopic_t* list = request.get();
  const auto event = admin.ask(
      what, RD_KAFKA_ADMIN_OP_DELETETOPICS,
      [&list](rd_kafka_t* client, const rd_kafka_AdminOptions_t* how, rd_kafka_queue_t* queue) {
        rd_kafka_DeleteTopics(client, &list, 1, how, queue);
      });
  std::size_t count = 0;
  check(what, rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()),
                                                  &count)[0]);
  admin.wait_for_partitions(what, topic, -1);
}

void delete_records(const std::string& brokers, const std::string& topic, int partition,
                    std::int64_t offset) {
  const std::string what = "delete records of " + topic;
  Admin admin{brokers};
  const Owned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy> list{
      rd_kafka_topic_partition_list_new(1)};
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  const Owned<rd_kafka_DeleteRecords_t, rd_kafka_DeleteRecords_destroy> request{
      rd_kafka_DeleteRecords_new(list.get())};
  rd_kafka_DeleteRecords_t* requests = request.get();
  const auto event = admin.ask(
      what, RD_KAFKA_ADMIN_OP_DELETERECORDS,
      [&requests](rd_kafka_t* client, const rd_kafka_AdminOptions_t* how, rd_kafka_queue_t* queue) {
        rd_kafka_DeleteRecords(client, &requests, 1, how, queue);
      });
  const rd_kafka_topic_partition_list_t* done =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
  if (done->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    fail(what, rd_kafka_err2str(done->elems[0].err));
  }
}

void grow_topic(const std::string& brokers, const std::string& topic, int partitions) {
  const std::string what = "grow topic " + topic;
  Admin admin{brokers};
  ErrorText error{};
  const Owned<rd_kafka_NewPartitions_t, rd_kafka_NewPartitions_destroy> request{
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(partitions), error.data(),
                                 error.size())};
  if (request == nullptr) {
    fail(what, error.data());
  }
  rd_kafka_NewPartitions_t* list = request.get();
  const auto event = admin.ask(
      what, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS,
      [&list](rd_kafka_t* client, const rd_kafka_AdminOptions_t* how, rd_kafka_queue_t* queue) {
        rd_kafka_CreatePartitions(client, &list, 1, how, queue);
      });
  std::size_t count = 0;
  check(what, rd_kafka_CreatePartitions_result_topics(
                  rd_kafka_event_CreatePartitions_result(event.get()), &count)[0]);
  admin.wait_for_partitions(what, topic, partitions);
}

void configure_topic(const std::string& brokers, const std::string& topic,
                     const std::vector<std::pair<std::string, std::string>>& config) {
  const std::string what = "configure topic " + topic;
  Admin admin{brokers};
  const Owned<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy> request{
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str())};
  for (const auto& [name, value] : config) {
    rd_kafka_ConfigResource_set_config(request.get(), name.c_str(), value.c_str());
  }
  rd_kafka_ConfigResource_t* list = request.get();
  const auto event = admin.ask(
      what, RD_KAFKA_ADMIN_OP_ALTERCONFIGS,
      [&list](rd_kafka_t* client, const rd_kafka_AdminOptions_t* how, rd_kafka_queue_t* queue) {
        rd_kafka_AlterConfigs(client, &list, 1, how, queue);
      });
  std::size_t count = 0;
  const rd_kafka_ConfigResource_t* result = rd_kafka_AlterConfigs_result_resources(
      rd_kafka_event_AlterConfigs_result(event.get()), &count)[0];
  if (rd_kafka_ConfigResource_error(result) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    fail(what, rd_kafka_ConfigResource_error_string(result));
  }
}

namespace {

void allow(const std::string& brokers, const std::string& principal, const std::string& topic,
           rd_kafka_AclOperation_t operation) {
  const std::string what = "allow " + principal + " to use " + topic;
  ErrorText error{};
  const Owned<rd_kafka_AclBinding_t, rd_kafka_AclBinding_destroy> binding{rd_kafka_AclBinding_new(
      RD_KAFKA_RESOURCE_TOPIC, topic.c_str(), RD_KAFKA_RESOURCE_PATTERN_LITERAL, principal.c_str(),
      "*", operation, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, error.data(), error.size())};
  if (binding == nullptr) {
    fail(what, error.data());
  }
  rd_kafka_AclBinding_t* list = binding.get();
  const auto event = Admin{brokers}.ask(
      what, RD_KAFKA_ADMIN_OP_CREATEACLS,
      [&list](rd_kafka_t* client, const rd_kafka_AdminOptions_t* how, rd_kafka_queue_t* queue) {
        rd_kafka_CreateAcls(client, &list, 1, how, queue);
      });
  std::size_t count = 0;
  const rd_kafka_error_t* refused = rd_kafka_acl_result_error(
      rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event.get()), &count)[0]);
  if (refused != nullptr) {
    fail(what, rd_kafka_error_string(refused));
  }
}

}  // namespace

void allow_writing(const std::string& brokers, const std::string& principal,
                   const std::string& topic) {
  allow(brokers, principal, topic, RD_KAFKA_ACL_OPERATION_WRITE);
}

void allow_describing(const std::string& brokers, const std::string& principal,
                      const std::string& topic) {
  allow(brokers, principal, topic, RD_KAFKA_ACL_OPERATION_DESCRIBE);
}

void forbid_writing(const std::string& brokers, const std::string& principal,
                    const std::string& topic) {
  const std::string what = "forbid " + principal + " to write to " + topic;
  ErrorText error{};
  const Owned<rd_kafka_AclBindingFilter_t, rd_kafka_AclBinding_destroy> filter{
      rd_kafka_AclBindingFilter_new(
          RD_KAFKA_RESOURCE_TOPIC, topic.c_str(), RD_KAFKA_RESOURCE_PATTERN_LITERAL,
          principal.c_str(), "*", RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
          error.data(), error.size())};
  if (filter == nullptr) {
    fail(what, error.data());
  }
  rd_kafka_AclBindingFilter_t* list = filter.get();
  const auto event = Admin{brokers}.ask(
      what, RD_KAFKA_ADMIN_OP_DELETEACLS,
      [&list](rd_kafka_t* client, const rd_kafka_AdminOptions_t* how, rd_kafka_queue_t* queue) {
        rd_kafka_DeleteAcls(client, &list, 1, how, queue);
      });
}

int leader_of(const std::string& brokers, const std::string& topic, int partition) {
  int leader = -1;
  Admin{brokers}.look_at(topic, [partition, &leader](const rd_kafka_metadata_topic_t& found) {
    for (int i = 0; i < found.partition_cnt; ++i) {
      if (found.partitions[i].id == partition) {
        leader = found.partitions[i].leader;
      }
    }
  });
  return leader;
}

}  // namespace dualstream::testing
