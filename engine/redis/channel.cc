#include "redis/channel.h"

#include <algorithm>

namespace dualstream::redis {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";
constexpr std::string_view kPatternBytes = "%*?[]\\ ";

bool forges(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || kPatternBytes.find(c) != std::string_view::npos;
}

void append_encoded(std::string& out, std::string_view value, bool colon_too) {
  for (const char c : value) {
    if (!forges(c) && !(colon_too && c == ':')) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 0xf];
  }
}

std::optional<unsigned> hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

Status refusal(std::string_view text, std::string_view rule) {
  std::string message = "redis.channels: \"";
  message.append(text).append("\": ").append(rule);
  return Status::error(StatusCode::invalid_options, std::move(message), "redis.channels");
}

}  // namespace

Status ChannelTemplate::parse(std::string_view text, std::size_t buckets, ChannelTemplate& out) {
  if (text.size() > kTemplateBytesMax) {
    return refusal(text.substr(0, 32), "is longer than 256 bytes");
  }
  ChannelTemplate made;
  made.buckets_ = std::max<std::size_t>(buckets, 1);
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] != '{') {
      const std::size_t end = std::min(text.find('{', at), text.size());
      made.pieces_.push_back({PieceKind::literal, std::string{text.substr(at, end - at)}});
      at = end;
      continue;
    }
    const std::size_t end = text.find('}', at);
    if (end == std::string_view::npos) return refusal(text, "a { has no }");
    const std::optional<PieceKind> kind = placeholder(text.substr(at + 1, end - at - 1));
    if (!kind) {
      return refusal(text, "only {source_type}, {source_id} and {bucket} can be filled in");
    }
    if (made.has(*kind)) return refusal(text, "a placeholder stands in it twice");
    made.pieces_.push_back({*kind, {}});
    at = end + 1;
  }
  if (Status status = made.check_pieces(text); !status.ok()) return status;
  made.has_source_id_ = made.has(PieceKind::source_id);
  out = std::move(made);
  return {};
}

Status ChannelTemplate::check_pieces(std::string_view text) const {
  if (!has(PieceKind::source_type)) return refusal(text, "{source_type} is required");
  bool apart = true;
  for (const Piece& piece : pieces_) {
    if (piece.kind == PieceKind::literal) {
      for (const char c : piece.literal) {
        if (c == '}' || forges(c) || static_cast<unsigned char>(c) >= 0x80) {
          return refusal(text,
                         "outside its placeholders only printable ASCII may stand, and no "
                         "space or any of % * ? [ ] \\ }");
        }
      }
      apart = apart || piece.literal.find(':') != std::string::npos;
      continue;
    }
    // Else source_types "a" and "ab" could make one name with source_ids "bc" and "c".
    if (!apart) return refusal(text, "a : has to stand between two placeholders");
    apart = false;
  }
  return {};
}

std::optional<ChannelTemplate::PieceKind> ChannelTemplate::placeholder(
    std::string_view name) noexcept {
  if (name == "source_type") return PieceKind::source_type;
  if (name == "source_id") return PieceKind::source_id;
  if (name == "bucket") return PieceKind::bucket;
  return std::nullopt;
}

bool ChannelTemplate::has(PieceKind kind) const noexcept {
  return std::ranges::any_of(pieces_, [kind](const Piece& piece) { return piece.kind == kind; });
}

std::string ChannelTemplate::expand(std::string_view source_type,
                                    std::string_view source_id) const {
  std::string channel;
  channel.reserve(kTemplateBytesMax);
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case PieceKind::literal:
        channel += piece.literal;
        break;
      case PieceKind::source_type:
        append_encoded(channel, source_type, true);
        break;
      case PieceKind::source_id:
        append_encoded(channel, source_id, false);
        break;
      case PieceKind::bucket:
        channel += std::to_string(bucket_of(source_type, source_id, buckets_));
        break;
    }
  }
  return channel;
}

std::optional<std::string> ChannelTemplate::source_type_of(std::string_view channel) const {
  std::string_view source_type;
  if (!matches(channel, 0, source_type)) return std::nullopt;
  return decode(source_type);
}

// Whether the rest of a channel's name is what the pieces from `piece` on make. Only a source_id
// holds a `:`, so the other two end where the next one begins; and there are three at the most.
bool ChannelTemplate::matches(std::string_view channel, std::size_t piece,
                              std::string_view& source_type) const {
  if (piece == pieces_.size()) return channel.empty();
  const Piece& here = pieces_[piece];
  if (here.kind == PieceKind::literal) {
    return channel.starts_with(here.literal) &&
           matches(channel.substr(here.literal.size()), piece + 1, source_type);
  }
  const std::size_t most = here.kind == PieceKind::source_id
                               ? channel.size()
                               : std::min(channel.find(':'), channel.size());
  for (std::size_t size = most; size > 0; --size) {
    const std::string_view value = channel.substr(0, size);
    const bool fits = here.kind != PieceKind::bucket ||
                      value.find_first_not_of("0123456789") == std::string_view::npos;
    if (!fits || !matches(channel.substr(size), piece + 1, source_type)) continue;
    if (here.kind == PieceKind::source_type) source_type = value;
    return true;
  }
  return false;
}

std::optional<std::string> source_type_of(std::string_view channel,
                                          std::span<const ChannelTemplate> templates) {
  for (const ChannelTemplate& each : templates) {
    if (std::optional<std::string> found = each.source_type_of(channel)) return found;
  }
  return std::nullopt;
}

Status parse_channel_templates(std::span<const std::string> texts, std::size_t buckets,
                               std::vector<ChannelTemplate>& out) {
  if (texts.empty() || texts.size() > kTemplatesMax) {
    return Status::error(StatusCode::invalid_options,
                         "redis.channels: " + std::to_string(texts.size()) +
                             " templates; give 1 to " + std::to_string(kTemplatesMax),
                         "redis.channels");
  }
  std::vector<ChannelTemplate> made(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto before = texts.first(i);
    if (std::ranges::find(before, texts[i]) != before.end()) {
      return refusal(texts[i], "is given twice");
    }
    if (Status status = ChannelTemplate::parse(texts[i], buckets, made[i]); !status.ok()) {
      return status;
    }
  }
  out = std::move(made);
  return {};
}

std::string encode_source_type(std::string_view value) {
  std::string text;
  append_encoded(text, value, true);
  return text;
}

std::string encode_source_id(std::string_view value) {
  std::string text;
  append_encoded(text, value, false);
  return text;
}

std::optional<std::string> decode(std::string_view text) {
  std::string value;
  value.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      value += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const auto high = hex_value(text[i + 1]);
    const auto low = hex_value(text[i + 2]);
    if (!high || !low) return std::nullopt;
    value += static_cast<char>(*high << 4 | *low);
    i += 2;
  }
  return value;
}

std::size_t bucket_of(std::string_view source_type, std::string_view source_id,
                      std::size_t buckets) noexcept {
  std::uint64_t hash = 14695981039346656037ULL;
  const auto mix = [&hash](char c) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  };
  for (const char c : source_type) mix(c);
  mix('\0');
  for (const char c : source_id) mix(c);
  return static_cast<std::size_t>(hash % buckets);
}

}  // namespace dualstream::redis
