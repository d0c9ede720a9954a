#include "support/certificates.h"

#include <fstream>
#include <stdexcept>
#include <vector>

#include "support/command.h"
#include "support/servers.h"

namespace dualstream::testing {
namespace {

void openssl(std::vector<std::string> arguments) {
  // Its chatter goes to stderr.
  arguments.insert(arguments.begin(), "openssl");
  if (run_command(arguments).exit_code != 0)
    throw std::runtime_error{"openssl " + arguments[1] + " failed"};
}

}  // namespace

Certificates::Certificates()
    : dir_(std::filesystem::temp_directory_path() / unique_name("dualstream-certificates")) {
  std::filesystem::create_directories(dir_);
  for (const std::string authority : {"ca", "stranger"}) {
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", "/CN=" + authority, "-keyout", path(authority + ".key"), "-out",
             path(authority + ".pem")});
  }
  for (const std::string who : {"server", "app"}) {
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=" + who, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path(who + ".key"),
             "-out", path(who + ".csr")});
    openssl({"x509", "-req", "-in", path(who + ".csr"), "-CA", path("ca.pem"), "-CAkey",
             path("ca.key"), "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out",
             path(who + ".pem")});
  }
  // A Kafka key store in PEM: key and certificate in one file.
  std::ofstream{path("server.store")} << std::ifstream{path("server.key")}.rdbuf()
                                      << std::ifstream{path("server.pem")}.rdbuf();
}

Certificates::~Certificates() { std::filesystem::remove_all(dir_); }

}  // namespace dualstream::testing
