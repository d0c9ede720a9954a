#include "redis/tls_session.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace dualstream::redis {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const noexcept { ::SSL_CTX_free(context); }
  void operator()(SSL* session) const noexcept { ::SSL_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, Free>;
using Session = std::unique_ptr<SSL, Free>;

// The last thing that OpenSSL complained about on this thread.
std::string library_reason() {
  const unsigned long code = ::ERR_peek_last_error();
  ::ERR_clear_error();
  if (code == 0) return "the reason is not known";
  if (ERR_GET_LIB(code) == ERR_LIB_SYS) {
    return std::generic_category().message(ERR_GET_REASON(code));
  }
  const char* reason = ::ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

std::string unusable(std::string_view what, const std::string& path) {
  return "cannot use the " + std::string{what} + " in `" + path + "` (" + library_reason() + ")";
}

// Empty, with the reason in `failure`, when a file cannot be used.
Context make_context(const TlsFiles& files, std::string& failure) {
  ::ERR_clear_error();
  Context context{::SSL_CTX_new(::TLS_client_method())};
  if (!context) {
    failure = library_reason();
    return nullptr;
  }
  ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // What waits to be sent grows, and may move, between two tries.
  ::SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
  const bool trusts =
      files.authorities.empty()
          ? ::SSL_CTX_set_default_verify_paths(context.get()) == 1
          : ::SSL_CTX_load_verify_file(context.get(), files.authorities.c_str()) == 1;
  if (!trusts) {
    failure = unusable("authorities", files.authorities);
    return nullptr;
  }
  if (files.certificate.empty()) return context;
  if (::SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
    failure = unusable("certificate", files.certificate);
    return nullptr;
  }
  if (::SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      ::SSL_CTX_check_private_key(context.get()) != 1) {
    failure = unusable("private key", files.key);
    return nullptr;
  }
  return context;
}

bool is_ip_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> parsed;
  return ::inet_pton(AF_INET, host.c_str(), parsed.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), parsed.data()) == 1;
}

class OpensslSession final : public TlsSession {
 public:
  OpensslSession(Context context, Session session)
      : context_(std::move(context)), session_(std::move(session)) {}

  [[nodiscard]] Progress handshake() override {
    ::ERR_clear_error();
    errno = 0;
    return progress_of(::SSL_connect(session_.get()));
  }

  [[nodiscard]] Progress read(char* buffer, std::size_t size, std::size_t& moved) override {
    ::ERR_clear_error();
    errno = 0;
    return progress_of(::SSL_read_ex(session_.get(), buffer, size, &moved));
  }

  [[nodiscard]] Progress write(std::string_view bytes, std::size_t& moved) override {
    ::ERR_clear_error();
    errno = 0;
    return progress_of(::SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &moved));
  }

  [[nodiscard]] std::string_view failure() const override { return failure_; }

 private:
  Progress progress_of(int result) {
    switch (::SSL_get_error(session_.get(), result)) {
      case SSL_ERROR_NONE:
        return Progress::done;
      case SSL_ERROR_WANT_READ:
        return Progress::wants_read;
      case SSL_ERROR_WANT_WRITE:
        return Progress::wants_write;
      case SSL_ERROR_ZERO_RETURN:
        failure_ = "the server closed the connection";
        return Progress::ended;
      case SSL_ERROR_SYSCALL:
        failure_ = errno == 0 ? "the server closed the connection"
                              : std::generic_category().message(errno);
        return Progress::ended;
      default:
        failure_ = "TLS: " + reason();
        return Progress::ended;
    }
  }

  [[nodiscard]] std::string reason() const {
    const long verified = ::SSL_get_verify_result(session_.get());
    if (verified != X509_V_OK && ::SSL_is_init_finished(session_.get()) == 0) {
      return std::string{"the server's certificate is refused: "} +
             ::X509_verify_cert_error_string(verified);
    }
    const unsigned long code = ::ERR_peek_last_error();
    if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
      ::ERR_clear_error();
      return "the other side does not speak it; is this the server's tls-port?";
    }
    if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
      ::ERR_clear_error();
      return "the server closed the connection";
    }
    return library_reason();
  }

  const Context context_;
  const Session session_;
  std::string failure_;
};

}  // namespace

std::string reason_against(const TlsFiles& files) {
  std::string failure;
  make_context(files, failure);
  return failure;
}

std::unique_ptr<TlsSession> TlsSession::make(const TlsFiles& files, int fd, const std::string& host,
                                             std::string& failure) {
  Context context = make_context(files, failure);
  if (!context) return nullptr;
  Session session{::SSL_new(context.get())};
  if (!session || ::SSL_set_fd(session.get(), fd) != 1) {
    failure = library_reason();
    return nullptr;
  }
  // An address stands in a certificate as an address, and is no name to ask for.
  const bool named =
      is_ip_address(host)
          ? ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(session.get()), host.c_str()) == 1
          : ::SSL_set1_host(session.get(), host.c_str()) == 1 &&
                SSL_set_tlsext_host_name(session.get(), host.c_str()) == 1;
  if (!named) {
    failure = library_reason();
    return nullptr;
  }
  return std::make_unique<OpensslSession>(std::move(context), std::move(session));
}

}  // namespace dualstream::redis
