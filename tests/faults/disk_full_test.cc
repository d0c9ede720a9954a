// The broker's disk is full in mid load: events wait, and go on once there is room.
//
// The broker's data folder is a small tmpfs; the test is skipped where nobody may mount one.
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "support/command.h"
#include "support/engine_run.h"
#include "support/eventually.h"
#include "support/kafka_admin.h"
#include "support/servers.h"

namespace dualstream {
namespace {

using std::chrono::seconds;
using testing::EngineRun;
using testing::eventually;

// A tmpfs over a folder, whose files go along.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path folder, const std::string& size) : folder_(std::move(folder)) {
    const std::filesystem::path aside = folder_.string() + ".aside";
    std::filesystem::rename(folder_, aside);
    std::filesystem::create_directory(folder_);
    mounted_ = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
    // Kafka's index files are sparse.
    static_cast<void>(testing::run_command(
        {"cp", "-a", "--sparse=always", aside.string() + "/.", folder_.string()}));
    std::filesystem::remove_all(aside);
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] bool mounted() const { return mounted_; }
  void grow(const std::string& size) {
    ASSERT_EQ(::mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT, ("size=" + size).c_str()), 0);
  }
  [[nodiscard]] std::size_t free_bytes() const {
    struct statvfs status {};
    ::statvfs(folder_.c_str(), &status);
    return status.f_bavail * status.f_bsize;
  }

 private:
  const std::filesystem::path folder_;
  bool mounted_ = false;
};

// The folder of the only broker that holds its log.
std::filesystem::path data_folder(const testing::Servers& servers) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator{servers.dir()}) {
    if (entry.path().filename() == "meta.properties") return entry.path().parent_path();
  }
  return {};
}

TEST(DiskFullFaultTest, K14_FullInMidLoadAndGoingOnWhenThereIsRoom) {
  testing::Servers servers{{"--no-redis"}};
  servers.stop("kafka");
  SmallDisk disk{data_folder(servers), "24m"};
  // tidy: allow(skipped_test) only root may mount
  if (!disk.mounted()) GTEST_SKIP() << "nobody may mount a tmpfs here";
  servers.start("kafka");
  const std::string topic = testing::unique_name("disk-full");
  testing::create_topic(servers.brokers(), topic);
  EngineRun run{EngineRun::options(servers.brokers(), topic)};
  // 256 B each and about 340 B in the log: 50 MB.
  constexpr std::size_t kEvents = 150'000;
  std::thread loading{[&] { run.publish({.threads = 4, .events = kEvents}); }};
  EXPECT_TRUE(eventually(seconds{30}, [&] { return run.log_lines_with("are buffered") > 0; }))
      << "the broker has ended";
  loading.join();
  EXPECT_GT(run.stats()[Counter::pending], 0U);
  EXPECT_EQ(run.stats()[Counter::failed], 0U);
  std::printf("acknowledged before the disk was full: %llu, free now: %zu bytes\n",
              static_cast<unsigned long long>(run.stats()[Counter::delivered]), disk.free_bytes());
  disk.grow("400m");
  servers.start("kafka");
  EXPECT_TRUE(run.drained_within(seconds{120}));
  EXPECT_TRUE(run.stop().ok());
  EXPECT_EQ(run.stats()[Counter::delivered], kEvents);
  const auto report = run.check_topic();
  EXPECT_TRUE(report.ok()) << report.text;
  EXPECT_EQ(report.records, kEvents);
  servers.kill("kafka");  // Its files go away with the mount.
}

}  // namespace
}  // namespace dualstream
