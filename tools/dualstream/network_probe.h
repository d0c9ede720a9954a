// Whether an address can be found and connected to, before any protocol is spoken.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "doctor_report.h"

namespace dualstream::command {

struct HostPort {
  std::string host;
  std::string port;
};

// Of "host:port[,host:port...]", with or without a scheme as librdkafka takes it, and IPv6 in
// brackets.
[[nodiscard]] std::vector<HostPort> host_ports(const std::string& list, const std::string& port);

// Appends what was found of each: `prefix`.resolve and `prefix`.connect. Returns whether one of
// them took a connection. If one did, what others did not is a warning.
bool check_network(const std::vector<HostPort>& places, const std::string& prefix,
                   std::chrono::milliseconds timeout, DoctorReport& report);

}  // namespace dualstream::command
