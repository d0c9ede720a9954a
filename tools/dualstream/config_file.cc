#include "config_file.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>

#include "text.h"

namespace dualstream::command {
namespace {

constexpr std::size_t kConfigBytesMax = 1024 * 1024;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Reads the values of one line. `rest` is what has not been read; a function that fails says why in
// `wrong`.
class ValueReader {
 public:
  explicit ValueReader(std::string_view rest) : rest_(rest) {}

  bool read(std::vector<std::string>& values) {
    skip_space();
    const bool ok = rest_.starts_with('[') ? read_list(values) : read_scalar(values, "#");
    if (!ok) return false;
    skip_space();
    if (rest_.empty() || rest_.front() == '#') return true;
    return fail(concat({"`", rest_, "` follows the value"}));
  }

  [[nodiscard]] const std::string& wrong() const { return wrong_; }

 private:
  bool fail(std::string wrong) {
    wrong_ = std::move(wrong);
    return false;
  }

  void skip_space() {
    const std::size_t first = rest_.find_first_not_of(" \t");
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }

  bool read_list(std::vector<std::string>& values) {
    rest_.remove_prefix(1);
    while (true) {
      skip_space();
      if (rest_.empty()) return fail("the list has no end: close it with ] on the same line");
      if (rest_.front() == ']') break;
      if (!read_scalar(values, ",]#")) return false;
      skip_space();
      if (rest_.starts_with(',')) {
        rest_.remove_prefix(1);
      } else if (!rest_.starts_with(']')) {
        return fail("a list is written [\"one\", \"two\"] on one line");
      }
    }
    rest_.remove_prefix(1);
    return true;
  }

  // A value without quotes ends before one of `ends`; a # only counts behind a space.
  bool read_scalar(std::vector<std::string>& values, std::string_view ends) {
    if (rest_.starts_with('"')) return read_quoted(values.emplace_back());
    if (rest_.starts_with('\'')) return read_literal(values.emplace_back());
    std::size_t end = 0;
    while (end < rest_.size()) {
      const char c = rest_[end];
      const bool glued = c == '#' && end > 0 && rest_[end - 1] != ' ' && rest_[end - 1] != '\t';
      if (ends.find(c) != std::string_view::npos && !glued) break;
      ++end;
    }
    const std::string_view value = trimmed(rest_.substr(0, end));
    if (value.empty()) return fail("there is no value; an empty one is written \"\"");
    values.emplace_back(value);
    rest_.remove_prefix(end);
    return true;
  }

  bool read_literal(std::string& value) {
    const std::size_t end = rest_.find('\'', 1);
    if (end == std::string_view::npos) return fail("the quote ' is not closed");
    value = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool read_quoted(std::string& value) {
    for (std::size_t at = 1; at < rest_.size(); ++at) {
      const char c = rest_[at];
      if (c == '"') {
        rest_.remove_prefix(at + 1);
        return true;
      }
      if (c != '\\') {
        value += c;
        continue;
      }
      const std::optional<char> escaped = unescape(++at < rest_.size() ? rest_[at] : '\0');
      if (!escaped) {
        return fail(R"(of escapes, \" \\ \n and \t are known; '...' takes a backslash as it is)");
      }
      value += *escaped;
    }
    return fail("the quote \" is not closed");
  }

  static std::optional<char> unescape(char c) {
    switch (c) {
      case '"':
      case '\\':
        return c;
      case 'n':
        return '\n';
      case 't':
        return '\t';
      default:
        return std::nullopt;
    }
  }

  std::string_view rest_;
  std::string wrong_;
};

Status parse_line(std::string_view line, ConfigEntry& entry) {
  const auto error = [](std::string wrong) {
    return Status::error(StatusCode::invalid_options, std::move(wrong));
  };
  if (line.starts_with('[')) {
    return error("there are no [sections]: write `name = value`");
  }
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return error("a line is written `name = value`");
  entry.key = trimmed(line.substr(0, equals));
  if (entry.key.empty()) return error("there is no name before the `=`");
  ValueReader reader{line.substr(equals + 1)};
  return reader.read(entry.values) ? Status{} : error(reader.wrong());
}

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

Status parse_config(std::string_view text, const std::string& file,
                    std::vector<ConfigEntry>& entries) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = trimmed(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    ConfigEntry entry{.key = {}, .values = {}, .line = number};
    if (const Status status = parse_line(line, entry); !status.ok()) {
      return Status::error(status.code,
                           concat({file, ":", std::to_string(number), ": ", status.message}));
    }
    entries.push_back(std::move(entry));
  }
  return {};
}

Status read_config(const std::string& file, std::vector<ConfigEntry>& entries) {
  std::string text;
  if (Status status = read_whole_file(file, text); !status.ok()) return status;
  return parse_config(text, file, entries);
}

std::string config_quoted(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '\n' || c == '\t') {
      out += c == '\n' ? "\\n" : "\\t";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

Status read_whole_file(const std::string& file, std::string& text) {
  const auto failed = [&file](int error) {
    return Status::error(
        StatusCode::invalid_options,
        concat({"cannot read ", file, ": ", std::generic_category().message(error)}));
  };
  errno = 0;
  const std::unique_ptr<std::FILE, Close> opened{std::fopen(file.c_str(), "re")};
  if (!opened) return failed(errno);
  text.resize(kConfigBytesMax);
  const std::size_t size = std::fread(text.data(), 1, text.size(), opened.get());
  if (std::ferror(opened.get()) != 0) return failed(errno);
  if (size == text.size()) return failed(EFBIG);
  text.resize(size);
  return {};
}

}  // namespace dualstream::command
