// What tests of the reading side share: an engine under load, a Subscriber on the same servers, and
// the comparison of what it received with the topic.
#pragma once

#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "dualstream/subscriber.h"
#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/kafka_admin.h"
#include "support/servers.h"
#include "support/subscriber_check.h"
#include "support/topic_reader.h"

namespace dualstream::testing {

// A topic, its channels and its events, apart from those of every other test.
class SubscriberSetup {
 public:
  SubscriberSetup(std::string brokers, std::string redis_address, int partitions = 4)
      : brokers_(std::move(brokers)), redis_address_(std::move(redis_address)) {
    create_topic(brokers_, topic_, {.partitions = partitions});
  }

  [[nodiscard]] Options engine_options() const {
    Options options = EngineRun::options(brokers_, topic_, redis_address_);
    options.redis.channels = {prefix_ + ":{source_type}:{source_id}",
                              prefix_ + "-all:{source_type}"};
    return options;
  }
  [[nodiscard]] VerifyingEventsOptions events() const { return {.source_prefix = "owner/s"}; }
  [[nodiscard]] static std::string source(std::size_t number) {
    return "owner/s" + std::to_string(number);
  }
  [[nodiscard]] std::string aggregate() const { return prefix_ + "-all:repo"; }
  [[nodiscard]] std::string pattern() const { return prefix_ + ":repo:*"; }

  [[nodiscard]] SubscriberOptions subscriber_options() const {
    SubscriberOptions options;
    options.kafka = engine_options().kafka;
    options.redis = engine_options().redis;
    options.on_log = [](const LogLine&) {};
    return options;
  }
  [[nodiscard]] std::unique_ptr<Subscriber> open_subscriber(SubscriberOptions options) const {
    std::unique_ptr<Subscriber> subscriber;
    const Status status = Subscriber::open(std::move(options), subscriber);
    EXPECT_TRUE(status.ok()) << status.message;
    return subscriber;
  }
  [[nodiscard]] std::unique_ptr<Subscriber> open_subscriber() const {
    return open_subscriber(subscriber_options());
  }
  [[nodiscard]] static std::unique_ptr<Subscription> subscribe(Subscriber& subscriber,
                                                               SubscriptionOptions options) {
    std::unique_ptr<Subscription> subscription;
    const Status status = subscriber.subscribe(std::move(options), subscription);
    EXPECT_TRUE(status.ok()) << status.message;
    return subscription;
  }
  [[nodiscard]] static bool live_within(const Subscription& subscription,
                                        std::chrono::milliseconds timeout) {
    return eventually(timeout,
                      [&] { return subscription.stats().phase == SubscriptionPhase::live; });
  }

  [[nodiscard]] std::vector<Record> records() const { return read_topic(brokers_, topic_); }
  // The end of each partition as it is now.
  [[nodiscard]] std::map<std::int32_t, std::int64_t> ends() const {
    std::map<std::int32_t, std::int64_t> all;
    for (const Record& record : records()) all[record.partition] = record.offset + 1;
    return all;
  }

  // Waits until everything that is wanted has come, and compares.
  void expect_all(const UpdatesCheck& check, const Subscription& subscription,
                  const std::map<std::int32_t, std::int64_t>& first, const std::string& prefix,
                  bool with_payload, std::chrono::milliseconds timeout) const {
    const std::vector<Record> all = records();
    UpdatesReport report;
    const bool done = eventually(timeout, [&] {
      report = check.check(all, first, prefix, VerifyingEvents{events()}, with_payload);
      return report.missing == 0;
    });
    EXPECT_TRUE(done && report.ok())
        << report.missing << " missing, " << report.repeated << " repeated, " << report.out_of_order
        << " out of order, " << report.corrupt << " corrupt; " << report.text;
    const SubscriptionStats stats = subscription.stats();
    std::cout << "received " << report.received << " (" << report.live << " live), repeats dropped "
              << stats.repeats << ", looks " << stats.looks << ", gaps healed " << stats.gaps_healed
              << ", told " << report.gaps << ", overruns " << stats.overruns << '\n';
  }

  [[nodiscard]] const std::string& topic() const { return topic_; }
  [[nodiscard]] const std::string& brokers() const { return brokers_; }

 private:
  const std::string brokers_;
  const std::string redis_address_;
  const std::string topic_ = unique_name("subscriber");
  const std::string prefix_ = unique_name("sub");
};

}  // namespace dualstream::testing
