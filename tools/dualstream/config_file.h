// read_config() reads a config file: `name = value` lines, a part of TOML.
//
//   # A comment.
//   brokers = "localhost:9092"
//   delivery-timeout = 30s            # The quotes may be left out.
//   channel = ["events:{source_type}:{source_id}", "all:{source_type}"]
//   kafka-property = 'sasl.username=ingest'
//   kafka-property = 'sasl.password=#1 "secret"'    # A repeatable option may stand several times.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dualstream/status.h"

namespace dualstream::command {

struct ConfigEntry {
  std::string key;
  std::vector<std::string> values;
  std::size_t line = 0;
};

// Whether the keys exist is not asked here. An error reads "FILE:LINE: what is wrong".
[[nodiscard]] Status parse_config(std::string_view text, const std::string& file,
                                  std::vector<ConfigEntry>& entries);

[[nodiscard]] Status read_config(const std::string& file, std::vector<ConfigEntry>& entries);

// `value` in quotes, as parse_config() reads it.
[[nodiscard]] std::string config_quoted(std::string_view value);

// A whole small file; what cannot be read, and why, is in the Status.
[[nodiscard]] Status read_whole_file(const std::string& file, std::string& text);

}  // namespace dualstream::command
