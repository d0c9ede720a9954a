// What does reading JSON cost? publish_json() beside what simdjson takes for the same four fields
// alone, on lines like GitHub's events (2 KB, nested).
//
//   bytes_per_second  of NDJSON
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <simdjson.h>

#include "base/parker.h"
#include "base/worker.h"
#include "dualstream/options.h"
#include "event/event_parser.h"
#include "event/event_queue.h"

namespace dualstream {
namespace {

// The lines of DUALSTREAM_SAMPLE_EVENTS, or made ones.
const std::vector<std::string>& lines() {
  static const std::vector<std::string> made = [] {
    std::vector<std::string> all;
    if (const char* file = std::getenv("DUALSTREAM_SAMPLE_EVENTS")) {
      std::ifstream stream{file};
      for (std::string line; std::getline(stream, line);) all.push_back(line);
    }
    for (int i = 0; all.size() < 500; ++i) {
      std::string commits;
      for (int n = 0; n < 8; ++n) {
        commits += std::string{n == 0 ? "" : ","} +
                   R"({"sha":"5f3a0d2c8b7e6a1d4c9f0b3e2d1a7c6b5e4f3a2b","author":{"email":)" +
                   R"("someone@example.com","name":"Some One"},"message":"Say why, not what\n\n)" +
                   R"(It was \"so\" before.","distinct":true})";
      }
      all.push_back(
          R"({"id":")" + std::to_string(2'489'651'045 + i) +
          R"(","type":"PushEvent","actor":{"id":665991,"login":"petroav"},"repo":{"id":)" +
          R"(28688495,"name":"petroav/6.828"},"payload":{"size":8,"commits":[)" + commits +
          R"(]},"public":true,"created_at":"2015-01-01T15:00:00Z"})");
    }
    return all;
  }();
  return made;
}

std::size_t total_bytes() {
  std::size_t bytes = 0;
  for (const std::string& line : lines()) bytes += line.size();
  return bytes;
}

void count(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(total_bytes()));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(lines().size()));
}

// Does not look at what it skips.
void BM_SimdjsonOnDemand(benchmark::State& state) {
  simdjson::ondemand::parser parser;
  std::vector<simdjson::padded_string> padded;
  for (const std::string& line : lines()) padded.emplace_back(line);
  for (auto _ : state) {
    for (const simdjson::padded_string& line : padded) {
      simdjson::ondemand::document document = parser.iterate(line);
      std::string_view id = document["id"];
      std::string_view type = document["type"];
      std::string_view source = document["repo"]["name"];
      benchmark::DoNotOptimize(id);
      benchmark::DoNotOptimize(type);
      benchmark::DoNotOptimize(source);
    }
  }
  count(state);
}
BENCHMARK(BM_SimdjsonOnDemand);

// Validates the whole line, as we do.
void BM_SimdjsonDom(benchmark::State& state) {
  simdjson::dom::parser parser;
  for (auto _ : state) {
    for (const std::string& line : lines()) {
      const simdjson::dom::element document = parser.parse(line);
      std::string_view id = document["id"];
      std::string_view type = document["type"];
      std::string_view source = document["repo"]["name"];
      benchmark::DoNotOptimize(id);
      benchmark::DoNotOptimize(type);
      benchmark::DoNotOptimize(source);
    }
  }
  count(state);
}
BENCHMARK(BM_SimdjsonDom);

void BM_EventParser(benchmark::State& state) {
  event::EventParser parser{JsonOptions{}};
  EventView event;
  std::string reason;
  for (auto _ : state) {
    for (const std::string& line : lines()) {
      if (parser.parse(line, event, reason) != event::EventParser::Result::ok)
        state.SkipWithError(reason.c_str());
      benchmark::DoNotOptimize(event);
    }
  }
  count(state);
}
BENCHMARK(BM_EventParser);

// Parsed, admitted, copied, pushed and taken out again: all that an ingest thread does for a line.
void BM_ParseAndPublish(benchmark::State& state) {
  event::EventParser parser{JsonOptions{}};
  base::Parker parker;
  event::EventQueue queue{{}, parker};
  event::EventQueue::Producer producer{queue};
  std::vector<event::EventPtr> taken(1024);
  EventView event;
  std::string reason;
  for (auto _ : state) {
    for (const std::string& line : lines()) {
      if (parser.parse(line, event, reason) != event::EventParser::Result::ok)
        state.SkipWithError(reason.c_str());
      const std::size_t bytes = event::block_bytes(event);
      if (queue.admit(bytes) != event::EventQueue::Admission::admitted)
        state.SkipWithError("the queue is full");
      event::EventPtr copy = producer.make(event);
      if (!queue.push(producer, copy)) state.SkipWithError("no memory");
    }
    for (std::size_t count = queue.pop(taken); count > 0; count = queue.pop(taken)) {
      for (std::size_t i = 0; i < count; ++i) {
        queue.release(1, taken[i]->block_bytes());
        taken[i].reset();
      }
    }
  }
  count(state);
}
BENCHMARK(BM_ParseAndPublish);

}  // namespace
}  // namespace dualstream

BENCHMARK_MAIN();
