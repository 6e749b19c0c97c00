// Fuzz target: config files in TOML, and the settings they give.
#include <vector>

#include "apps/pipeline/settings.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  return m2st::test::read_as_file(bytes, size, [](const std::string& path) {
    int epochs = 0;
    double rate = 0;
    bool force = false;
    std::string out;
    std::vector<std::string> embeddings;
    const std::vector<m2st::apps::Setting> settings = {
        {"--epochs", "N", "", "", &epochs, {0}},
        {"--lr", "X", "", "", &rate},
        {"--force", "", "", "", &force},
        {"-o,--out", "DIR", "", "", &out},
        {"--embedding", "FILE", "", "", &embeddings},
    };
    m2st::apps::apply(settings, m2st::apps::read_config(path, settings), {});
  });
}
