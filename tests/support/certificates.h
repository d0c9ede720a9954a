// Certificates makes the PEM files that a test of TLS needs, with the openssl command.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dualstream::testing {

// Files of two authorities ("ca" and "stranger": NAME.pem, NAME.key), of two whom "ca" vouches for
// at 127.0.0.1 ("server" and "app", the same), and "server.store", both of the server's in one.
//
// Lifetime: the files go with it.
class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return dir_ / name; }

 private:
  const std::filesystem::path dir_;
};

}  // namespace dualstream::testing
