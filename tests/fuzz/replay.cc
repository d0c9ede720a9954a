// Runs a fuzz target once for each file named, or found in a folder named: how its corpus, and an
// input that a fuzzer found, is replayed with any compiler.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{path}) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const std::filesystem::path& file : files_of(argv[i])) {
      std::ifstream in{file, std::ios::binary};
      const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
      if (!in) {
        std::fprintf(stderr, "replay: cannot read %s\n", file.c_str());
        return 1;
      }
      std::fprintf(stderr, "%s\n", file.c_str());  // The last one is the one that failed.
      // A copy of its own, so that a sanitizer sees a read beyond its end.
      const std::vector<std::uint8_t> copy{bytes.begin(), bytes.end()};
      static_cast<void>(LLVMFuzzerTestOneInput(copy.data(), copy.size()));
      count += 1;
    }
  }
  if (count == 0) {
    std::fprintf(stderr, "replay: name files or folders\n");
    return 1;
  }
  std::printf("%zu inputs replayed\n", count);
  return 0;
}
