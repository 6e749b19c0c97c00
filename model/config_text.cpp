#include "model/config_text.h"

#include <charconv>
#include <limits>
#include <map>
#include <sstream>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/check.h"

namespace m2st::model {

namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

// The one list of all options; Config is const when they are written.
template <class Config, class Visitor>
void visit_options(Config& options, Visitor&& visit) {
  auto& a = options.autoencoder;
  visit("scales", a.scales);
  visit("hidden", a.hidden);
  visit("heads", a.heads);
  visit("layers", a.layers);
  visit("shared_width", a.shared_width);
  visit("decoder_heads", a.decoder_heads);
  visit("leaky_slope", a.leaky_slope);
  visit("head_merge", a.head_merge);
  visit("shared_activation", a.shared_activation);
  visit("decoder_activation", a.decoder_activation);
  visit("encoder_to_decoder", a.encoder_to_decoder);
  visit("bias", a.bias);
  visit("remask", a.remask);
  visit("feature_dropout", a.feature_dropout);
  visit("attention_dropout", a.attention_dropout);
  auto& t = options.train;
  visit("epochs", t.epochs);
  visit("mask_rate", t.mask_rate);
  visit("replace_rate", t.replace_rate);
  visit("gamma", t.gamma);
  visit("loss", t.loss);
  visit("learning_rate", t.learning_rate);
  visit("weight_decay", t.weight_decay);
  visit("decoupled_decay", t.decoupled_decay);
  visit("seed", t.seed);
  visit("patience", t.patience);
  visit("plateau_tolerance", t.plateau_tolerance);
  visit("checkpoint_every", t.checkpoint_every);
  visit("matmul_precision", t.matmul_precision);
  visit("arithmetic", options.arithmetic);
}

bool may_change(const std::string& name) {
  return name == "epochs" || name == "patience" || name == "plateau_tolerance" ||
         name == "checkpoint_every" || name == "arithmetic";
}

// What checkpoints written before the option was there do not name: they were made by its default.
bool may_be_missing(const std::string& name) {
  return name == "matmul_precision" || name == "arithmetic";
}

template <class Value>
auto as_number(Value value) {
  if constexpr (std::is_enum_v<Value> || std::is_same_v<Value, bool>) {
    return static_cast<int>(value);
  } else {
    return value;
  }
}

// to_chars gives the shortest text that reads back to the same bits, in every locale.
template <class Value>
std::string to_text(Value value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, as_number(value)).ptr;
  return {buffer, end};
}

template <class Value>
void from_text(const std::string& name, const std::string& text, Value& value) {
  auto number = as_number(value);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail(ExitCode::kCheckpoint, "checkpoint: option ", name, " reads \"", text,
         "\", which is not a value of it");
  }
  value = static_cast<Value>(number);
}

Lines lines_of(const Options& options) {
  Lines lines;
  visit_options(options, [&](const char* name, const auto& value) {
    lines.emplace_back(name, to_text(value));
  });
  return lines;
}

// The first difference among the lines that `counts`.
template <class Counts>
std::string difference_in(const Options& there, const Options& here, Counts&& counts) {
  const Lines theirs = lines_of(there);
  const Lines ours = lines_of(here);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const bool equal = theirs[i].second == ours[i].second;
    if (equal || may_change(ours[i].first) || !counts(i)) continue;
    return ours[i].first + ": " + theirs[i].second + " there, " + ours[i].second + " here";
  }
  return "";
}

}  // namespace

std::string options_text(const Options& options) {
  std::string text;
  for (const auto& [name, value] : lines_of(options)) text += name + " = " + value + "\n";
  return text;
}

Options parse_options(const std::string& text) {
  std::map<std::string, std::string> values;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    const std::size_t sign = line.find(" = ");
    if (sign == std::string::npos) {
      fail(ExitCode::kCheckpoint, "checkpoint: \"", line, "\" is not an option");
    }
    values[line.substr(0, sign)] = line.substr(sign + 3);
  }
  Options options;
  visit_options(options, [&](const char* name, auto& value) {
    const auto found = values.find(name);
    if (found == values.end()) {
      if (may_be_missing(name)) return;
      fail(ExitCode::kCheckpoint, "checkpoint: option ", name, " is missing");
    }
    from_text(name, found->second, value);
    values.erase(found);
  });
  if (!values.empty()) {
    fail(ExitCode::kCheckpoint, "checkpoint: option ", values.begin()->first, " is unknown");
  }
  return options;
}

std::string first_difference(const Options& there, const Options& here) {
  return difference_in(there, here, [](std::size_t) { return true; });
}

std::string first_contradiction(const Options& there, const Options& given) {
  const Lines defaults = lines_of({});
  const Lines ours = lines_of(given);
  return difference_in(there, given, [&](std::size_t i) {
    return ours[i].first != "seed" && ours[i].second != defaults[i].second;
  });
}

const char* to_string(Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::kUnknown:
      break;
    case Arithmetic::kCpu:
      return "the CPU";
    case Arithmetic::kCuda:
      return "a CUDA device";
    case Arithmetic::kCublasLt:
      return "a CUDA device with cuBLASLt";
  }
  return "something unknown";
}

}  // namespace m2st::model
