#include "resolve.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "config_file.h"
#include "nearest.h"
#include "option_table.h"
#include "secrets.h"
#include "text.h"

namespace dualstream::command {
namespace {

constexpr std::string_view kVariablePrefix = "DUALSTREAM_";

// What the scripts and the tests of the project set for each other; not for the command.
constexpr std::array<std::string_view, 5> kForeignVariables{
    "DUALSTREAM_SERVERS_DIR", "DUALSTREAM_SERVERS_TRAINING", "DUALSTREAM_SOURCE_DIR",
    "DUALSTREAM_BINARY_DIR", "DUALSTREAM_KAFKA_HEAP"};

Status usage_error(std::string message) {
  return Status::error(StatusCode::invalid_options, std::move(message));
}

Status apply(std::size_t option, const std::vector<std::string>& values, Origin origin,
             Configuration& configuration) {
  const OptionInfo& info = options()[option];
  if (const auto wrong = set(info.target(configuration.settings), values); wrong) {
    // A flag and a variable are the option's name, a place in a file is not.
    const bool in_file = origin.source == Source::file;
    return usage_error(
        concat({origin.place, ": ", in_file ? info.name : "", in_file ? ": " : "", *wrong}));
  }
  configuration.origins[option] = std::move(origin);
  return {};
}

// ---- The config file

// The values of one key; a repeatable one may have them on several lines.
struct KeyValues {
  std::size_t option = 0;
  std::size_t line = 0;  // The first.
  std::vector<std::string> values;
};

Status gather_keys(const std::vector<ConfigEntry>& entries, const std::string& file,
                   std::vector<KeyValues>& gathered) {
  for (const ConfigEntry& entry : entries) {
    const std::string place = concat({file, ":", std::to_string(entry.line)});
    const std::optional<std::size_t> option = find_option(entry.key);
    if (!option || (options()[*option].places & kKey) == 0) {
      return usage_error("unknown key `" + entry.key + "` in " + place +
                         did_you_mean(entry.key, known_names(kKey)));
    }
    const auto found =
        std::find_if(gathered.begin(), gathered.end(),
                     [&option](const KeyValues& known) { return known.option == *option; });
    if (found == gathered.end()) {
      gathered.push_back({.option = *option, .line = entry.line, .values = entry.values});
      continue;
    }
    Settings settings;
    if (!repeatable(options()[*option].target(settings))) {
      return usage_error(place + ": `" + entry.key + "` was set in line " +
                         std::to_string(found->line) + " already");
    }
    found->values.insert(found->values.end(), entry.values.begin(), entry.values.end());
  }
  return {};
}

Status apply_file(const std::string& file, Configuration& configuration) {
  std::vector<ConfigEntry> entries;
  if (Status status = read_config(file, entries); !status.ok()) return status;
  std::vector<KeyValues> gathered;
  if (Status status = gather_keys(entries, file, gathered); !status.ok()) return status;
  for (const KeyValues& key : gathered) {
    Status status =
        apply(key.option, key.values,
              {.source = Source::file, .place = concat({file, ":", std::to_string(key.line)})},
              configuration);
    if (!status.ok()) return status;
  }
  return {};
}

// ---- The environment

struct Variable {
  std::size_t option = 0;
  std::string value;
};

Status read_environment(const std::vector<std::string>& environment,
                        std::vector<Variable>& variables) {
  for (const std::string& text : environment) {
    if (!text.starts_with(kVariablePrefix)) continue;
    const std::size_t equals = std::min(text.find('='), text.size());
    const std::string name = text.substr(0, equals);
    const std::string value = text.substr(std::min(equals + 1, text.size()));
    if (std::find(kForeignVariables.begin(), kForeignVariables.end(), name) !=
        kForeignVariables.end()) {
      continue;
    }
    std::size_t option = 0;
    while (option < options().size() && ((options()[option].places & kVariable) == 0 ||
                                         variable_name(options()[option]) != name)) {
      ++option;
    }
    if (option == options().size()) {
      return usage_error("unknown environment variable `" + name + "`" +
                         did_you_mean(name, known_names(kVariable)));
    }
    // `docker compose` and the like pass on what is not set as empty.
    if (!value.empty()) variables.push_back({.option = option, .value = value});
  }
  return {};
}

// A repeatable option has its values in one variable, with semicolons between them.
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> values;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    if (end > begin) values.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return values;
}

Status apply_variable(const Variable& variable, Configuration& configuration) {
  const OptionInfo& option = options()[variable.option];
  std::vector<std::string> values{variable.value};
  if (repeatable(option.target(configuration.settings))) values = split(variable.value);
  return apply(variable.option, values,
               {.source = Source::variable, .place = variable_name(option)}, configuration);
}

// ---- The command line

Status apply_flag(const GivenFlag& flag, Configuration& configuration) {
  const OptionInfo& option = options()[flag.option];
  for (const std::string& value : flag.values) {
    if (!holds_secret(option, value)) continue;
    return usage_error(concat(
        {flag_name(option), " ", redacted(option, value),
         ": other users can see a command line; give a secret in a config file, in ",
         variable_name(option),
         option.name == "redis" ? ", in DUALSTREAM_REDIS_PASSWORD or with --redis-password-file"
                                : ""}));
  }
  return apply(flag.option, flag.values, {.source = Source::flag, .place = flag_name(option)},
               configuration);
}

// ---- What follows from the options

Status read_password(Configuration& configuration) {
  Settings& settings = configuration.settings;
  if (settings.redis_password_file.empty()) return {};
  const Origin& file = configuration.origins[*find_option("redis-password-file")];
  const Origin& variable = configuration.origins[*find_option("redis-password")];
  if (variable.source > file.source) return {};
  std::string text;
  if (Status status = read_whole_file(settings.redis_password_file, text); !status.ok()) {
    status.message = file.place + ": " + status.message;
    return status;
  }
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  if (text.empty()) {
    return usage_error(file.place + ": the first line of " + settings.redis_password_file +
                       " is empty, and should be the password");
  }
  settings.engine.redis.password = text;
  return {};
}

Status check_own_options(const Configuration& configuration) {
  const Settings& settings = configuration.settings;
  if (settings.threads < 1 || settings.threads > 256) {
    return usage_error(
        concat({configuration.origins[*find_option("threads")].place, ": threads is ",
                std::to_string(settings.threads), ", and has to be 1 to 256"}));
  }
  return {};
}

}  // namespace

Status resolve(const std::vector<GivenFlag>& flags, const std::vector<std::string>& environment,
               Configuration& configuration) {
  configuration.origins.resize(options().size());
  std::vector<Variable> variables;
  if (Status status = read_environment(environment, variables); !status.ok()) return status;

  // The config file's own name is found first, by the same precedence.
  const std::size_t config = *find_option("config");
  for (const Variable& variable : variables) {
    if (variable.option != config) continue;
    if (Status status = apply_variable(variable, configuration); !status.ok()) return status;
  }
  for (const GivenFlag& flag : flags) {
    if (flag.option != config) continue;
    if (Status status = apply_flag(flag, configuration); !status.ok()) return status;
  }
  const std::string file = configuration.settings.config_file;
  if (!file.empty()) {
    if (Status status = apply_file(file, configuration); !status.ok()) return status;
  }
  for (const Variable& variable : variables) {
    if (variable.option == config) continue;
    if (Status status = apply_variable(variable, configuration); !status.ok()) return status;
  }
  for (const GivenFlag& flag : flags) {
    if (flag.option == config) continue;
    if (Status status = apply_flag(flag, configuration); !status.ok()) return status;
  }

  Settings& settings = configuration.settings;
  settings.engine.kafka.required_at_open = !settings.wait_for_kafka;
  if (Status status = check_own_options(configuration); !status.ok()) return status;
  return read_password(configuration);
}

std::string with_origin(const std::string& message, const Configuration& configuration) {
  // The message may go on with another field as advice, so the first is meant. Of two at the same
  // place one is the beginning of the other, and the longer is meant.
  std::size_t best = options().size();
  std::size_t best_at = std::string::npos;
  for (std::size_t at = 0; at < options().size(); ++at) {
    const std::string_view field = options()[at].field;
    if (field.empty()) continue;
    const std::size_t found = message.find(field);
    const bool longer =
        found == best_at && best < options().size() && field.size() > options()[best].field.size();
    if (found < best_at || (found != std::string::npos && longer)) {
      best = at;
      best_at = found;
    }
  }
  if (best == options().size()) return message;
  const Origin& origin = configuration.origins[best];
  const OptionInfo& option = options()[best];
  const std::string name = (option.places & kFlag) != 0 ? flag_name(option) : variable_name(option);
  const bool elsewhere = origin.source == Source::file || origin.source == Source::variable;
  return message + " (" + name + (elsewhere ? ", set in " + origin.place : "") + ")";
}

}  // namespace dualstream::command
