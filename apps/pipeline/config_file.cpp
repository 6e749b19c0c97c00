// Config files: flat TOML whose keys are the long names of options. Nothing is ignored in silence.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "apps/pipeline/settings.h"
#include "apps/pipeline/toml_text.h"
#include "data/io/input_file.h"
#include "engine/check.h"

namespace m2st::apps {

namespace {

std::string text_of(const toml::node& node, const std::string& where) {
  if (const auto* value = node.as_string()) return from_ascii(value->get());
  if (const auto* value = node.as_boolean()) return value->get() ? "true" : "false";
  if (const auto* value = node.as_integer()) return fmt::format("{}", value->get());
  if (const auto* value = node.as_floating_point()) return fmt::format("{}", value->get());
  fail(ExitCode::kUsage, where, ": needs a number, a string, true or false");
}

// More is no list of options.
constexpr std::int64_t kLargestConfig = 1 << 20;

std::string config_text(const std::string& path) {
  const data::InputFile file(path);
  if (file.size() > kLargestConfig) fail(ExitCode::kUsage, path, ": is too large for options");
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, text.data(), file.size());
  return text;
}

toml::table parse(const std::string& path) {
  const std::string text = config_text(path);
  if (const int line = line_of_escaped_tilde(text); line > 0) {
    fail(ExitCode::kUsage, path, ": line ", line, ": a '~' in escaped form; write it as it is");
  }
  try {
    return toml::parse(in_ascii(text), path);
  } catch (const toml::parse_error& error) {
    fail(ExitCode::kUsage, path, ": line ", error.source().begin.line, ": ",
         from_ascii(error.description()));
  }
}

}  // namespace

std::vector<GivenValue> read_config(const std::string& path, const std::vector<Setting>& settings) {
  std::vector<GivenValue> values;
  for (const auto& [key, node] : parse(path)) {
    const std::string name = from_ascii(key.str());
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
