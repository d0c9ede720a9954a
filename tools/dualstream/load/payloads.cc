#include "payloads.h"

#include <algorithm>
#include <memory>
#include <random>
#include <system_error>

#include <simdjson.h>

#include "byte_source.h"
#include "event_mark.h"
#include "line_reader.h"
#include "text.h"

namespace dualstream::command {
namespace {

constexpr std::string_view kHead = R"({"load":")";
constexpr std::size_t kSourceDigits = 8;
constexpr std::size_t kIndexDigits = 8;
constexpr std::size_t kHashDigits = 16;
constexpr std::size_t kMarkDigits = kRunDigits + kSourceDigits + kIndexDigits + kHashDigits;
constexpr std::size_t kTailAt = kHead.size() + kMarkDigits;  // Of the quote behind the digits.

// Different ones, so that a compressed batch does not consist of repeats.
constexpr std::size_t kTextsMax = 64;
constexpr std::size_t kTextBytesMax = 4 * 1024 * 1024;

std::string begun() { return std::string{kHead} + std::string(kMarkDigits, '0') + '"'; }

// FNV-1a, 64 bits.
std::uint64_t hash_of_bytes(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

// The end of splitmix64: each bit of the input moves about half of those of the output.
std::uint64_t mixed(std::uint64_t value) noexcept {
  value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27U) * 0x94d049bb133111eb;
  return value ^ value >> 31U;
}

std::uint64_t hash_of(const PayloadMark& mark, std::uint64_t tail_hash) noexcept {
  const std::uint64_t place = std::uint64_t{mark.source} << 32U | mark.index;
  return mixed(mixed(tail_hash + mark.run) + place);
}

Status line_error(const std::string& name, std::uint64_t line, std::string_view what) {
  return Status::error(StatusCode::invalid_options,
                       concat({printable(name), ":", std::to_string(line), ": ", what}));
}

}  // namespace

void Payloads::add(std::string text) {
  bytes_max_ = std::max(bytes_max_, text.size());
  const std::uint64_t hash = hash_of_bytes(std::string_view{text}.substr(kTailAt));
  texts_.push_back({.text = std::move(text), .tail_hash = hash});
}

Payloads Payloads::of_size(std::size_t bytes, std::uint64_t seed) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  static constexpr std::string_view kPad = R"(,"pad":")";
  static constexpr std::string_view kEnd = R"("})";
  std::mt19937_64 random{seed};
  Payloads payloads;
  const std::size_t count =
      std::clamp<std::size_t>(kTextBytesMax / std::max<std::size_t>(bytes, 1), 1, kTextsMax);
  for (std::size_t which = 0; which < count; ++which) {
    std::string text = begun().append(kPad);
    const std::size_t least = text.size() + kEnd.size();
    for (std::size_t at = least; at < bytes; ++at) text += kLetters[random() % kLetters.size()];
    payloads.add(text.append(kEnd));
  }
  return payloads;
}

Status Payloads::of_file(const std::string& name, Payloads& payloads) {
  std::unique_ptr<FileSource> source;
  // No descriptor ends the wait: a file is read in a moment.
  if (Status status = FileSource::open(name, -1, source); !status.ok()) return status;
  LineReader reader{*source, {.line_bytes_max = 64UL * 1024 * 1024}};
  simdjson::dom::parser parser;
  std::size_t bytes = 0;
  Line line;
  NextResult next = reader.next(line);
  for (; next == NextResult::line; next = reader.next(line)) {
    if (line.kind == LineKind::blank) continue;
    if (line.kind == LineKind::too_long) return line_error(name, line.number, "over 64 MiB long");
    simdjson::dom::object object;
    if (parser.parse(line.text.data(), line.text.size()).get(object) != simdjson::SUCCESS) {
      return line_error(name, line.number, "not a JSON object");
    }
    const std::string_view members = line.text.substr(line.text.find('{') + 1);
    std::string text = begun();
    if (object.size() > 0) text += ',';
    payloads.add(text.append(members));
    bytes += text.size();
    if (bytes > kPayloadFileBytesMax) {
      return line_error(name, line.number,
                        "more than 256 MiB, and all lines are held in memory; give a part of it");
    }
  }
  if (next == NextResult::failed) {
    return Status::error(StatusCode::invalid_options,
                         concat({"reading ", printable(name),
                                 " failed: ", std::generic_category().message(reader.error())}));
  }
  if (payloads.size() == 0) {
    return Status::error(StatusCode::invalid_options, printable(name) + " has no line in it");
  }
  return {};
}

std::size_t Payloads::write(std::size_t which, const PayloadMark& mark, char* out) const {
  const Text& text = texts_[which];
  std::copy(text.text.begin(), text.text.end(), out);
  char* at = out + kHead.size();
  write_hex(at, mark.run, kRunDigits);
  at += kRunDigits;
  write_hex(at, mark.source, kSourceDigits);
  at += kSourceDigits;
  write_hex(at, mark.index, kIndexDigits);
  at += kIndexDigits;
  write_hex(at, hash_of(mark, text.tail_hash), kHashDigits);
  return text.text.size();
}

std::optional<PayloadMark> Payloads::recognise(std::string_view payload) noexcept {
  if (!payload.starts_with(kHead) || payload.size() < kTailAt) return std::nullopt;
  std::string_view digits = payload.substr(kHead.size(), kMarkDigits);
  const auto take = [&digits](std::size_t count) {
    const std::optional<std::uint64_t> value = read_hex(digits.substr(0, count));
    digits.remove_prefix(count);
    return value;
  };
  const auto run = take(kRunDigits);
  const auto source = take(kSourceDigits);
  const auto index = take(kIndexDigits);
  const auto hash = take(kHashDigits);
  if (!run || !source || !index || !hash) return std::nullopt;
  const PayloadMark mark{.run = static_cast<std::uint32_t>(*run),
                         .source = static_cast<std::uint32_t>(*source),
                         .index = static_cast<std::uint32_t>(*index)};
  if (hash_of(mark, hash_of_bytes(payload.substr(kTailAt))) != *hash) return std::nullopt;
  return mark;
}

bool Payloads::claims(std::string_view payload, std::uint32_t run) noexcept {
  return payload.starts_with(kHead) &&
         read_hex(payload.substr(kHead.size(),
                                 std::min(kRunDigits, payload.size() - kHead.size()))) == run;
}

}  // namespace dualstream::command
