#include "print_config.h"

#include <algorithm>

#include "config_file.h"
#include "option_table.h"
#include "secrets.h"

namespace dualstream::command {
namespace {

constexpr std::size_t kOriginColumn = 56;

std::string origin_text(const OptionInfo& option, const Origin& origin) {
  if (origin.source != Source::standard) return origin.place;
  return default_text(option) == "required" ? "required" : "default";
}

void append_line(std::string& text, std::string line, const std::string& origin) {
  line.resize(std::max(line.size() + 2, kOriginColumn), ' ');
  text.append(line).append("# ").append(origin).append("\n");
}

// A value that needs no quotes to be read back.
bool is_bare(const Target& target) {
  return !std::holds_alternative<std::string*>(target) && !repeatable(target);
}

void append_option(std::string& text, const OptionInfo& option, const Origin& origin,
                   Settings& settings) {
  const Target target = option.target(settings);
  const std::string name{option.name};
  std::vector<std::string> values = show(target);
  values.erase(std::remove(values.begin(), values.end(), std::string{}), values.end());
  if (values.empty()) {
    append_line(text, "# " + name + " is not set", origin_text(option, origin));
  }
  for (const std::string& value : values) {
    const bool secret = holds_secret(option, value);
    std::string line = secret ? "# " : "";
    line.append(name).append(" = ");
    line.append(is_bare(target) ? value : config_quoted(redacted(option, value)));
    append_line(text, std::move(line), origin_text(option, origin));
  }
}

}  // namespace

std::string config_text(const Command& command, const Configuration& configuration) {
  std::string text = "# Every option of `dualstream " + std::string{command.name} +
                     "`, and where its value comes from.\n";
  Settings settings = configuration.settings;
  std::string_view group;
  for (std::size_t at = 0; at < options().size(); ++at) {
    const OptionInfo& option = options()[at];
    const bool setting = (option.places & (kKey | kVariable)) != 0 && option.name != "config";
    if ((option.commands & command.bit) == 0 || !setting) continue;
    if (option.group != group) {
      group = option.group;
      text.append("\n# ").append(group).append("\n");
    }
    Origin origin = configuration.origins[at];
    const bool from_file = option.name == "redis-password" && origin.source == Source::standard &&
                           !settings.engine.redis.password.empty();
    if (from_file) origin = {.source = Source::file, .place = settings.redis_password_file};
    append_option(text, option, origin, settings);
  }
  return text;
}

}  // namespace dualstream::command
