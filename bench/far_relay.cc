// far_relay ROUND_TRIP_MS: stands between a client and its broker, and makes the way longer.
//
// Prints its own address, which the broker has to advertise, reads the broker's from a line of
// standard input, and relays until that is closed. A process of its own, so that its CPU time is
// nobody's.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "support/relay.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: far_relay ROUND_TRIP_MS\n", stderr);
    return 2;
  }
  const std::chrono::milliseconds one_way{std::atoi(argv[1]) / 2};
  dualstream::testing::Relay relay{1};
  relay.set_faults({.requests = {.delay = one_way}, .replies = {.delay = one_way}});
  std::cout << relay.address() << '\n' << std::flush;
  for (std::string line; std::getline(std::cin, line);) relay.set_upstream(line);
  return 0;
}
