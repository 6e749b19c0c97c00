// Lines on stderr; each is written with one call, so that runs side by side do not mix.
#include "apps/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/pipeline/machine.h"
#include "apps/signals.h"

namespace m2st::apps {

namespace {

constexpr int kPlainLines = 20;

void put(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

std::vector<Setting> console_settings(ConsoleOptions& options) {
  return {
      {"--progress", "HOW", "auto, plain, json or none", "Common",
       choice(options.progress, {"auto", "plain", "json", "none"})},
      {"-q,--quiet", "", "errors only", "Common", &options.quiet},
  };
}

Console::Console(const ConsoleOptions& options) : options_(options) {
  terminal_ = options.progress == Progress::kAuto && isatty(STDERR_FILENO) == 1;
  if (options_.progress == Progress::kAuto) options_.progress = Progress::kPlain;
}

Console::~Console() {
  if (open_line_) put("\n");
}

RunHooks Console::hooks() {
  RunHooks hooks;
  hooks.stop_signal = received_signal;
  if (options_.quiet) return hooks;
  hooks.note = [this](const std::string& stage, const std::string& text) {
    line("stage", stage, text);
  };
  hooks.warn = [this](const std::string& text) { line("warning", "warning", text); };
  if (options_.progress != Progress::kNone) {
    hooks.epoch = [this](const model::EpochReport& report) { epoch(report); };
  }
  return hooks;
}

void Console::line(const std::string& kind, const std::string& key, const std::string& text) {
  if (options_.progress == Progress::kJson) {
    put(nlohmann::ordered_json{{kind, key}, {"message", text}}.dump() + "\n");
    return;
  }
  put(fmt::format("{}m2st: {}: {}\n", open_line_ ? "\n" : "", key, text));
  open_line_ = false;
}

void Console::epoch(const model::EpochReport& report) {
  if (options_.progress == Progress::kJson) {
    put(nlohmann::ordered_json{{"epoch", report.epoch},
                               {"epochs", report.epochs},
                               {"loss", report.loss},
                               {"seconds", report.seconds}}
            .dump() +
        "\n");
    return;
  }
  const std::string text = fmt::format("train: epoch {}/{}, loss {:.6f}, {:.3f} s an epoch",
                                       report.epoch, report.epochs, report.loss, report.seconds);
  if (terminal_) {
    put("\rm2st: " + text);
    open_line_ = true;
    return;
  }
  const int step = std::max(1, report.epochs / kPlainLines);
  if (report.epoch % step == 0 || report.epoch == report.epochs) put("m2st: " + text + "\n");
}

void Console::finish(const RunRecord& record) {
  if (!options_.verbose || options_.quiet) return;
  for (const StageCost& stage : record.trace.stages()) {
    line("stage", stage.name,
         fmt::format("{:.2f} s, {:.2f} s of processor time, {} at the peak", stage.wall_seconds,
                     stage.cpu_seconds, readable_bytes(stage.peak_resident_bytes)));
  }
}

}  // namespace m2st::apps
