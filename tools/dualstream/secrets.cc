#include "secrets.h"

#include <algorithm>
#include <array>

namespace dualstream::command {
namespace {

// Of librdkafka's properties, those with one of these in their name.
constexpr std::array<std::string_view, 4> kSecretWords{"password", "secret", "ssl.key.pem",
                                                       "sasl.oauthbearer.config"};

bool secret_property(std::string_view name) {
  return std::any_of(kSecretWords.begin(), kSecretWords.end(), [name](std::string_view word) {
    return name.find(word) != std::string_view::npos;
  });
}

// Where the secret of a value begins and how long it is; of no length when there is none.
struct Place {
  std::size_t at = 0;
  std::size_t size = 0;
};

// The password of "redis://[user[:password]@]host": between the first colon and the last @ of what
// follows the scheme. Without a colon nothing is secret.
Place password_in_address(std::string_view address) {
  const std::size_t scheme = address.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t end = address.rfind('@');
  if (end == std::string_view::npos || end < begin) return {};
  const std::size_t colon = address.substr(0, end).find(':', begin);
  if (colon == std::string_view::npos) return {};
  return {.at = colon + 1, .size = end - colon - 1};
}

Place secret_in(const OptionInfo& option, std::string_view value) {
  if (option.name == "redis-password") return {.at = 0, .size = value.size()};
  if (option.name == "redis") return password_in_address(value);
  if (option.name == "kafka-property") {
    const std::size_t equals = value.find('=');
    if (equals != std::string_view::npos && secret_property(value.substr(0, equals))) {
      return {.at = equals + 1, .size = value.size() - equals - 1};
    }
  }
  return {};
}

}  // namespace

bool holds_secret(const OptionInfo& option, std::string_view value) {
  return secret_in(option, value).size > 0;
}

std::string redacted(const OptionInfo& option, std::string_view value) {
  const Place place = secret_in(option, value);
  std::string text{value};
  if (place.size > 0) text.replace(place.at, place.size, kRedacted);
  return text;
}

}  // namespace dualstream::command
