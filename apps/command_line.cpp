// CLI11 collects texts only; reading values, config files and precedence are in settings.h.
#include "apps/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "apps/standard_output.h"
#include "engine/check.h"
#include "m2st_version.h"

namespace m2st::apps {

namespace {

constexpr std::size_t kHelpColumn = 34;

struct Typed {
  std::vector<GivenValue> values;
  std::string config;
};

// The help with the default, where there is one; a default outside the range means "automatic".
std::string help_of(const Setting& setting) {
  const std::string text = text_of(setting);
  if (setting.required || is_flag(setting) || text.empty()) return setting.help;
  const bool automatic =
      setting.range.low >= 0 && text == "0" && (setting.range.open || setting.range.low > 0);
  return fmt::format("{} [{}]", setting.help, automatic ? "automatic" : text);
}

void add_setting(CLI::App& app, const Setting& setting, Typed& typed) {
  const std::string name = name_of(setting);
  const auto give = [name, &typed](const std::string& text) {
    typed.values.push_back({name, text});
  };
  CLI::Option* option = nullptr;
  if (is_flag(setting)) {
    option = app.add_flag_callback(
        setting.flags, [give] { give("true"); }, help_of(setting));
  } else if (is_list(setting)) {
    option = app.add_option_function<std::vector<std::string>>(
        setting.flags,
        [give](const std::vector<std::string>& texts) {
          std::for_each(texts.begin(), texts.end(), give);
        },
        help_of(setting));
  } else {
    option = app.add_option_function<std::string>(setting.flags, give, help_of(setting));
  }
  option->type_name(setting.value);
  option->group(setting.group);
  // Only for the help: a config file may still give it, so `apply` is what insists.
  if (setting.required) option->description(setting.help + " (required)");
}

[[noreturn]] void refuse(const std::string& message, const std::string& command) {
  fail(ExitCode::kUsage, message, "\nusage: m2st ", command.empty() ? "COMMAND" : command,
       " [options]; m2st ", command.empty() ? "" : command + " ", "--help lists them");
}

std::string chosen_command(const CLI::App& app) {
  const std::vector<const CLI::App*> chosen =
      app.get_subcommands([](const CLI::App*) { return true; });
  const auto parsed =
      std::find_if(chosen.begin(), chosen.end(), [](const CLI::App* sub) { return sub->parsed(); });
  return parsed == chosen.end() ? "" : (*parsed)->get_name();
}

// CLI11 would only say that a command is missing.
void require_known_command(const std::vector<Command>& commands,
                           const std::vector<std::string>& arguments) {
  if (arguments.size() < 2 || arguments[1].starts_with('-')) return;
  std::vector<std::string> names;
  for (const Command& command : commands) names.push_back(command.name);
  if (std::find(names.begin(), names.end(), arguments[1]) != names.end()) return;
  refuse(fmt::format("'{}' is not a command; there are {}", arguments[1], fmt::join(names, ", ")),
         "");
}

// False when help or the version was asked for and printed.
bool parse(CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend() - 1);
  try {
    app.parse(std::move(reversed));
    return true;
  } catch (const CLI::CallForHelp&) {
    write_standard_output(app.help());
  } catch (const CLI::CallForVersion&) {
    write_standard_output(fmt::format("m2st {}\n", kVersion));
  } catch (const CLI::ParseError& error) {
    refuse(error.what(), chosen_command(app));
  }
  return false;
}

}  // namespace

void run_command_line(const std::vector<Command>& commands,
                      const std::vector<std::string>& arguments) {
  require_known_command(commands, arguments);
  CLI::App app("Spatial domains in spatial transcriptomics (m2ST).", "m2st");
  app.set_version_flag("--version", kVersion, "print the version");
  app.require_subcommand(1);
  app.get_formatter()->column_width(kHelpColumn);
  Typed typed;
  for (const Command& command : commands) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    for (const Setting& setting : command.settings) add_setting(*sub, setting, typed);
    sub->add_option("--config", typed.config, "TOML file of these options; the command line wins")
        ->type_name("FILE")
        ->group("Common");
  }
  if (!parse(app, arguments)) return;
  const std::string name = chosen_command(app);
  const auto command = std::find_if(commands.begin(), commands.end(),
                                    [&](const Command& one) { return one.name == name; });
  try {
    const std::vector<GivenValue> config = typed.config.empty()
                                               ? std::vector<GivenValue>{}
                                               : read_config(typed.config, command->settings);
    apply(command->settings, config, typed.values);
  } catch (const Error& error) {
    if (error.code() == ExitCode::kUsage) refuse(error.what(), name);
    throw;
  }
  command->execute(arguments);
}

}  // namespace m2st::apps
