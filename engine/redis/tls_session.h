// TlsSession speaks TLS, 1.2 or later, over a connected socket and never blocks.
//
// The other side has to prove that it is the host we asked for, with a certificate of an authority
// that we trust: without that TLS would hide the traffic from everybody but whom it is hidden from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace dualstream::redis {

// Paths of PEM files.
struct TlsFiles {
  std::string authorities;  // Whom we trust; empty: whom the system trusts.
  std::string certificate;  // Ours, with its chain; empty: we show none.
  std::string key;          // Its private key, without a passphrase.
};

// Empty when a session can use them, or what is wrong, with the path.
[[nodiscard]] std::string reason_against(const TlsFiles& files);

// Thread: one.
class TlsSession {
 public:
  // What a call came to: it is done, waits for the socket, or the session is over.
  enum class Progress : std::uint8_t { done, wants_read, wants_write, ended };

  // Reads the files, so that a renewed certificate holds from the next connection on. `fd` is
  // connected, non-blocking and stays the caller's; `host` is a name or an IP address. nullptr,
  // with the reason in `failure`, when a file cannot be used.
  [[nodiscard]] static std::unique_ptr<TlsSession> make(const TlsFiles& files, int fd,
                                                        const std::string& host,
                                                        std::string& failure);
  virtual ~TlsSession() = default;

  // To be called until it is done, before anything else.
  [[nodiscard]] virtual Progress handshake() = 0;

  // At most `size` bytes; `moved` says how many if it is done, 1 or more.
  [[nodiscard]] virtual Progress read(char* buffer, std::size_t size, std::size_t& moved) = 0;
  // What waits for the socket has to be tried again with the same bytes in front.
  [[nodiscard]] virtual Progress write(std::string_view bytes, std::size_t& moved) = 0;

  // Why it ended.
  [[nodiscard]] virtual std::string_view failure() const = 0;
};

}  // namespace dualstream::redis
