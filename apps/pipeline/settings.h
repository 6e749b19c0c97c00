// Settings: a table that binds names to options. The command line, the config file and the manifest
// all read the same table, so that a name means one thing everywhere.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace m2st::apps {

// One of a few words; `choose` takes and `chosen` gives an index into `names`.
struct Choice {
  std::vector<std::string> names;
  std::function<void(std::size_t)> choose;
  std::function<std::size_t()> chosen;
};

// A number, or "auto" to have it found.
struct CountOrAuto {
  int* count;
  bool* automatic;
};

// "2-25".
struct Interval {
  int* low;
  int* high;
};

using SettingTarget =
    std::variant<bool*, int*, std::int64_t*, std::uint64_t*, double*, std::string*,
                 std::vector<std::string>*, Choice, CountOrAuto, Interval>;

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open = false;  // low itself is outside
};

struct Setting {
  std::string flags;  // as typed: "-k,--domains"; without dashes: taken by position
  std::string value;  // what the help calls the value: "K", "FILE"
  std::string help;
  std::string group;
  SettingTarget target;
  Range range = {};
  bool required = false;
  bool first = false;  // applied before the others because it changes their defaults
};

// A table's rows behind another's.
void add(std::vector<Setting>& settings, const std::vector<Setting>& more);

// The long name without dashes: the key in a config file and in the manifest.
std::string name_of(const Setting& setting);
bool is_flag(const Setting& setting);
bool is_list(const Setting& setting);

// Reads `text` into the option; a list grows by it. Exit code 2, naming the setting, when the text
// is not such a value or out of range.
void assign(const Setting& setting, const std::string& text);
// The option's present value as `assign` would read it; lists joined by commas.
std::string text_of(const Setting& setting);

struct GivenValue {
  std::string name;
  std::string text;
};

// The pairs of a flat TOML file; `settings` names the keys there may be. Exit codes 3 (missing) and
// 2 (not TOML, a key that is unknown or holds a table).
std::vector<GivenValue> read_config(const std::string& path, const std::vector<Setting>& settings);

// Applies a config file's values, then the command line's, which win; settings marked `first` go
// before both. Exit code 2 when a required one has no value.
void apply(const std::vector<Setting>& settings, const std::vector<GivenValue>& config,
           const std::vector<GivenValue>& command_line);

// A choice over an enumeration whose values are 0, 1, ... in the order of `names`.
template <class Enum>
Choice choice(Enum& target, std::vector<std::string> names) {
  return {std::move(names), [&target](std::size_t i) { target = static_cast<Enum>(i); },
          [&target] { return static_cast<std::size_t>(target); }};
}

// on | off.
Choice switch_choice(bool& target);

}  // namespace m2st::apps
