// Config files: flat TOML whose keys are the long names of options. Nothing is ignored in silence.
#include <fmt/format.h>
#include <sys/stat.h>
#include <toml++/toml.h>

#include <algorithm>

#include "apps/pipeline/settings.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

std::string text_of(const toml::node& node, const std::string& where) {
  if (const auto* value = node.as_string()) return value->get();
  if (const auto* value = node.as_boolean()) return value->get() ? "true" : "false";
  if (const auto* value = node.as_integer()) return fmt::format("{}", value->get());
  if (const auto* value = node.as_floating_point()) return fmt::format("{}", value->get());
  fail(ExitCode::kUsage, where, ": needs a number, a string, true or false");
}

toml::table parse(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    fail(ExitCode::kInputMissing, path, ": the config file is missing or not a file");
  }
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    fail(ExitCode::kUsage, path, ": line ", error.source().begin.line, ": ", error.description());
  }
}

}  // namespace

std::vector<GivenValue> read_config(const std::string& path, const std::vector<Setting>& settings) {
  std::vector<GivenValue> values;
  for (const auto& [key, node] : parse(path)) {
    const std::string name(key.str());
    const std::string where = fmt::format("{}: key '{}'", path, name);
    const auto known = std::find_if(settings.begin(), settings.end(), [&](const Setting& setting) {
      return name_of(setting) == name;
    });
    if (known == settings.end()) {
      fail(ExitCode::kUsage, where, " is not an option of this command; see --help for the names");
    }
    const toml::array* list = node.as_array();
    if (list == nullptr) {
      values.push_back({name, text_of(node, where)});
      continue;
    }
    if (!is_list(*known)) fail(ExitCode::kUsage, where, ": holds a list, needs one value");
    for (const toml::node& entry : *list) values.push_back({name, text_of(entry, where)});
  }
  return values;
}

}  // namespace m2st::apps
