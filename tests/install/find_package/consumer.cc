// A program of somebody else's, which has nothing but what was installed.
#include <dualstream/engine.h>
#include <dualstream/version.h>

#include <cstdio>
#include <memory>
#include <string>

int main() {
  std::printf("dualstream %s", DUALSTREAM_VERSION);
  for (const auto& [name, version] : dualstream::library_versions())
    std::printf(", %s %s", name.c_str(), version.c_str());
  std::printf("\n");
  // Without a broker there is nothing to open, and the library says so.
  std::unique_ptr<dualstream::Engine> engine;
  const dualstream::Status status = dualstream::Engine::open({}, engine);
  std::printf("%s\n", status.message.c_str());
  return !status.ok() && status.message.find("kafka.brokers") != std::string::npos ? 0 : 1;
}
