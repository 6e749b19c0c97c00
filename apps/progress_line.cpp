// Every line is written with one call, so that runs side by side do not mix.
#include "apps/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace m2st::apps {

namespace {

constexpr std::int64_t kPlainLines = 20;

void put(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::string text_of(const SweepProgress& progress) {
  const std::string best =
      std::isnan(progress.best) ? "" : fmt::format(", best {:.4f}", progress.best);
  return fmt::format("sweep: {}/{} option sets{}, {} left", progress.done, progress.total, best,
                     readable_seconds(progress.seconds_left));
}

std::string json_of(const SweepProgress& progress) {
  return nlohmann::ordered_json{{"option_sets_done", progress.done},
                                {"option_sets", progress.total},
                                {"best", progress.best},
                                {"seconds_left", progress.seconds_left}}
      .dump();
}

}  // namespace

std::string readable_seconds(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(seconds, 0.0)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

ProgressLine::ProgressLine(const ConsoleOptions& options)
    : options_(options),
      terminal_(options.progress == Progress::kAuto && isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (open_line_) put("\n");
}

void ProgressLine::step(std::int64_t done, std::int64_t total, const std::string& text,
                        const std::string& json) {
  if (options_.quiet || options_.progress == Progress::kNone) return;
  if (options_.progress == Progress::kJson) {
    put(json + "\n");
    return;
  }
  if (terminal_) {
    put("\r\x1b[Km2st: " + text);
    open_line_ = true;
    return;
  }
  const std::int64_t every = std::max<std::int64_t>(1, total / kPlainLines);
  if (done % every == 0 || done == total) put("m2st: " + text + "\n");
}

void ProgressLine::sweep(const SweepProgress& progress) {
  step(progress.done, progress.total, text_of(progress), json_of(progress));
}

void ProgressLine::message(const std::string& kind, const std::string& text) {
  if (options_.quiet) return;
  if (options_.progress == Progress::kJson) {
    put(nlohmann::ordered_json{{kind == "warning" ? "warning" : "stage", kind}, {"message", text}}
            .dump() +
        "\n");
    return;
  }
  put(fmt::format("{}m2st: {}: {}\n", open_line_ ? "\n" : "", kind, text));
  open_line_ = false;
}

}  // namespace m2st::apps
