// Reading values into options and back. Numbers are read without regard to the locale.
#include "apps/pipeline/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <type_traits>

#include "engine/check.h"

namespace m2st::apps {

namespace {

[[noreturn]] void refuse(const Setting& setting, const std::string& text, const std::string& need) {
  fail(ExitCode::kUsage, "--", name_of(setting), ": got '", text, "', needs ", need);
}

std::string describe(const Range& range, const std::string& kind) {
  const bool below = range.low != -std::numeric_limits<double>::infinity();
  const bool above = range.high != std::numeric_limits<double>::infinity();
  if (!below && !above) return kind;
  if (!above) return fmt::format("{} {} {}", kind, range.open ? "above" : "of at least", range.low);
  if (!below) return fmt::format("{} of at most {}", kind, range.high);
  return fmt::format("{} {} {} and at most {}", kind, range.open ? "above" : "of at least",
                     range.low, range.high);
}

template <class T>
T read_number(const Setting& setting, const std::string& text) {
  const std::string need =
      describe(setting.range, std::is_integral_v<T> ? "an integer" : "a number");
  T number{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) refuse(setting, text, need);
  const double wide = static_cast<double>(number);
  const bool inside = (setting.range.open ? wide > setting.range.low : wide >= setting.range.low) &&
                      wide <= setting.range.high;
  if (!inside || !(wide - wide == 0)) refuse(setting, text, need);  // infinities and NaN too
  return number;
}

bool read_switch(const Setting& setting, const std::string& text) {
  if (text == "true") return true;
  if (text == "false") return false;
  refuse(setting, text, "true or false");
}

void read_count(const Setting& setting, const CountOrAuto& target, const std::string& text) {
  *target.automatic = text == "auto";
  if (!*target.automatic) *target.count = read_number<int>(setting, text);
}

void read_interval(const Setting& setting, const Interval& target, const std::string& text) {
  const char* const end = text.data() + text.size();
  int low = 0, high = 0;
  const auto [dash, error] = std::from_chars(text.data(), end, low);
  const bool separated = error == std::errc() && dash != end && *dash == '-';
  const auto [stopped, other_error] =
      separated ? std::from_chars(dash + 1, end, high) : std::from_chars_result{end, error};
  if (!separated || other_error != std::errc() || stopped != end || low > high ||
      low < setting.range.low || high > setting.range.high) {
    refuse(setting, text,
           describe(setting.range, "two integers, the smaller first, as in 2-25, each"));
  }
  *target.low = low;
  *target.high = high;
}

void choose(const Setting& setting, const Choice& choice, const std::string& text) {
  const auto found = std::find(choice.names.begin(), choice.names.end(), text);
  if (found == choice.names.end()) {
    refuse(setting, text, fmt::format("one of {}", fmt::join(choice.names, ", ")));
  }
  choice.choose(static_cast<std::size_t>(found - choice.names.begin()));
}

const Setting& find_setting(const std::vector<Setting>& settings, const std::string& name) {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const Setting& setting) { return name_of(setting) == name; });
  M2ST_CHECK(found != settings.end(), "settings: no setting is called ", name);
  return *found;
}

void apply_some(const std::vector<Setting>& settings, const std::vector<GivenValue>& given,
                bool first, std::set<std::string>& seen) {
  std::set<std::string> emptied;
  for (const auto& [name, text] : given) {
    const Setting& setting = find_setting(settings, name);
    if (setting.first != first) continue;
    const bool fresh = emptied.insert(name).second;
    if (auto* list = std::get_if<std::vector<std::string>*>(&setting.target); list && fresh) {
      (*list)->clear();  // a list on the command line replaces the config file's
    }
    assign(setting, text);
    seen.insert(name);
  }
}

}  // namespace

void add(std::vector<Setting>& settings, const std::vector<Setting>& more) {
  settings.insert(settings.end(), more.begin(), more.end());
}

std::string name_of(const Setting& setting) {
  const std::size_t dashes = setting.flags.rfind("--");
  return dashes == std::string::npos ? setting.flags : setting.flags.substr(dashes + 2);
}

bool is_flag(const Setting& setting) { return std::holds_alternative<bool*>(setting.target); }

bool is_list(const Setting& setting) {
  return std::holds_alternative<std::vector<std::string>*>(setting.target);
}

void assign(const Setting& setting, const std::string& text) {
  std::visit(
      [&](const auto& target) {
        using Target = std::decay_t<decltype(target)>;
        if constexpr (std::is_same_v<Target, Choice>) {
          choose(setting, target, text);
        } else if constexpr (std::is_same_v<Target, CountOrAuto>) {
          read_count(setting, target, text);
        } else if constexpr (std::is_same_v<Target, Interval>) {
          read_interval(setting, target, text);
        } else if constexpr (std::is_same_v<Target, bool*>) {
          *target = read_switch(setting, text);
        } else if constexpr (std::is_same_v<Target, std::string*>) {
          if (text.empty()) refuse(setting, text, "a value");
          *target = text;
        } else if constexpr (std::is_same_v<Target, std::vector<std::string>*>) {
          if (text.empty()) refuse(setting, text, "a value");
          target->push_back(text);
        } else {
          *target = read_number<std::remove_pointer_t<Target>>(setting, text);
        }
      },
      setting.target);
}

std::string text_of(const Setting& setting) {
  return std::visit(
      [](const auto& target) -> std::string {
        using Target = std::decay_t<decltype(target)>;
        if constexpr (std::is_same_v<Target, Choice>) {
          return target.names[target.chosen()];
        } else if constexpr (std::is_same_v<Target, CountOrAuto>) {
          return *target.automatic ? "auto" : fmt::format("{}", *target.count);
        } else if constexpr (std::is_same_v<Target, Interval>) {
          return fmt::format("{}-{}", *target.low, *target.high);
        } else if constexpr (std::is_same_v<Target, std::vector<std::string>*>) {
          return fmt::format("{}", fmt::join(*target, ","));
        } else {
          return fmt::format("{}", *target);
        }
      },
      setting.target);
}

void apply(const std::vector<Setting>& settings, const std::vector<GivenValue>& config,
           const std::vector<GivenValue>& command_line) {
  std::set<std::string> seen;
  for (const bool first : {true, false}) {
    apply_some(settings, config, first, seen);
    apply_some(settings, command_line, first, seen);
  }
  for (const Setting& setting : settings) {
    if (setting.required && !seen.contains(name_of(setting))) {
      fail(ExitCode::kUsage, setting.flags, " is required: ", setting.help);
    }
  }
}

Choice switch_choice(bool& target) {
  return {{"off", "on"},
          [&target](std::size_t i) { target = i == 1; },
          [&target] { return static_cast<std::size_t>(target ? 1 : 0); }};
}

}  // namespace m2st::apps
