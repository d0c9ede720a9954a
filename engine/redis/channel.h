// A channel's name is made from a template and an event's source, so that no source can forge or
// match another one's channel.
//
//   template  events:{source_type}:{source_id}      repo, owner/repo  ->  events:repo:owner/repo
//             events:{source_type}                                    ->  events:repo
//             buckets:{source_type}:{bucket}                          ->  buckets:repo:17
//
// A value is percent-encoded where Redis' patterns or a reader could take it for something else:
// `% * ? [ ] \`, space and control bytes as %XX, and in a source_type `:` too. Everything else,
// UTF-8 included, stays as it is. So only a source_id can hold a `:`, and as each two placeholders
// have one between them, two sources never share a name unless the template leaves one out.
//
// The bucket is FNV-1a (64 bits) over source_type, a zero byte and source_id, modulo `buckets`, in
// decimal: offset basis 14695981039346656037, prime 1099511628211.
//
// Two templates may meet in one name: `events:{source_type}:b{bucket}` is also the channel of a
// source "b7" under `events:{source_type}:{source_id}`. Give each template its own first word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dualstream/status.h"

namespace dualstream::redis {

// Templates that may be on at once, and the bytes of one.
inline constexpr std::size_t kTemplatesMax = 4;
inline constexpr std::size_t kTemplateBytesMax = 256;

// A value.
class ChannelTemplate {
 public:
  // ok, or `invalid_options` with a sentence. `buckets` is what {bucket} spreads over.
  [[nodiscard]] static Status parse(std::string_view text, std::size_t buckets,
                                    ChannelTemplate& out);

  [[nodiscard]] std::string expand(std::string_view source_type, std::string_view source_id) const;

  // The inverse of expand(), as far as there is one: whether this template can have made `channel`,
  // and of which source_type.
  [[nodiscard]] std::optional<std::string> source_type_of(std::string_view channel) const;

  // Whether a channel carries one source only.
  [[nodiscard]] bool one_source_per_channel() const noexcept { return has_source_id_; }

 private:
  enum class PieceKind : std::uint8_t { literal, source_type, source_id, bucket };
  struct Piece {
    PieceKind kind = PieceKind::literal;
    std::string literal;
  };

  [[nodiscard]] static std::optional<PieceKind> placeholder(std::string_view name) noexcept;
  [[nodiscard]] bool has(PieceKind kind) const noexcept;
  [[nodiscard]] bool matches(std::string_view channel, std::size_t piece,
                             std::string_view& source_type) const;
  [[nodiscard]] Status check_pieces(std::string_view text) const;

  std::vector<Piece> pieces_;
  std::size_t buckets_ = 1;
  bool has_source_id_ = false;
};

// All of `texts`, or the first error: none at all, too many, one twice, or one that does not parse.
[[nodiscard]] Status parse_channel_templates(std::span<const std::string> texts,
                                             std::size_t buckets,
                                             std::vector<ChannelTemplate>& out);

// Of the first template that can have made `channel`; nothing when none can.
[[nodiscard]] std::optional<std::string> source_type_of(std::string_view channel,
                                                        std::span<const ChannelTemplate> templates);

// The form of a value in a channel's name, and back. decode() is the exact inverse of both; it is
// empty for a text with a `%` that two hexadecimal digits do not follow.
[[nodiscard]] std::string encode_source_type(std::string_view value);
[[nodiscard]] std::string encode_source_id(std::string_view value);
[[nodiscard]] std::optional<std::string> decode(std::string_view text);

[[nodiscard]] std::size_t bucket_of(std::string_view source_type, std::string_view source_id,
                                    std::size_t buckets) noexcept;

}  // namespace dualstream::redis
