// Settings: texts to options, ranges, and which source wins.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "apps/pipeline/run_settings.h"
#include "apps/pipeline/settings.h"
#include "engine/check.h"
#include "tests/apps/tissue.h"

namespace m2st::apps {
namespace {

std::string message_of(const std::function<void()>& act, ExitCode code) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

const Setting& named(const std::vector<Setting>& settings, const std::string& name) {
  for (const Setting& setting : settings) {
    if (name_of(setting) == name) return setting;
  }
  throw std::runtime_error("no setting " + name);
}

class RunSettings : public testing::Test {
 protected:
  RunOptions options_;
  std::vector<Setting> settings_ = run_settings(Job::kRun, options_);
  std::vector<GivenValue> needed_ = {{"features", "f"}, {"domains", "7"}, {"out", "o"}};

  std::vector<GivenValue> with_needed(std::vector<GivenValue> more) const {
    more.insert(more.end(), needed_.begin(), needed_.end());
    return more;
  }
};

TEST_F(RunSettings, ReadsEveryKindOfValue) {
  assign(named(settings_, "epochs"), "12");
  assign(named(settings_, "seed"), "18446744073709551615");
  assign(named(settings_, "lr"), "1e-3");
  assign(named(settings_, "graph"), "delaunay");
  assign(named(settings_, "bias"), "off");
  assign(named(settings_, "out"), "folder with blanks");

  EXPECT_EQ(options_.train.epochs, 12);
  EXPECT_EQ(options_.seed, 18446744073709551615u);
  EXPECT_EQ(options_.train.learning_rate, 1e-3);
  EXPECT_EQ(options_.graph.kind, data::GraphKind::kDelaunay);
  EXPECT_FALSE(options_.autoencoder.bias);
  EXPECT_EQ(options_.output, "folder with blanks");
}

TEST_F(RunSettings, DomainsAreANumberOrAuto) {
  assign(named(settings_, "domains"), "auto");
  EXPECT_TRUE(options_.automatic_domains);
  EXPECT_EQ(text_of(named(settings_, "domains")), "auto");
  assign(named(settings_, "domains"), "9");
  EXPECT_FALSE(options_.automatic_domains);
  EXPECT_EQ(options_.cluster.domains, 9);
  assign(named(settings_, "k-range"), "3-12");
  EXPECT_EQ(options_.domain_count.least, 3);
  EXPECT_EQ(options_.domain_count.most, 12);
  EXPECT_EQ(text_of(named(settings_, "k-range")), "3-12");
}

TEST_F(RunSettings, RefuseWhatIsNotSuchAValue) {
  const std::vector<GivenValue> wrong = {
      {"epochs", "3x"},     {"epochs", ""},    {"epochs", "1.5"},   {"epochs", "99999999999"},
      {"epochs", "-1"},     {"seed", "-1"},    {"lr", "0"},         {"lr", "nan"},
      {"lr", "inf"},        {"lr", "1e999"},   {"radius", "0"},     {"radius", "-2"},
      {"mask-rate", "1.2"}, {"graph", "ring"}, {"threads", "2000"}, {"bias", "yes"},
      {"domains", "many"},  {"k-range", "7"},  {"k-range", "5-3"},  {"k-range", "0-3"},
      {"k-range", "2-"},    {"k-range", "-"},  {"k-range", "-2-5"}};
  for (const auto& [name, text] : wrong) {
    const std::string message =
        message_of([&] { assign(named(settings_, name), text); }, ExitCode::kUsage);
    EXPECT_NE(message.find("--" + name), std::string::npos) << message;
    EXPECT_NE(message.find("'" + text + "'"), std::string::npos) << message;
  }
}

TEST_F(RunSettings, TextsReadBackAsTheSameValue) {
  for (const Setting& setting : settings_) {
    const std::string text = text_of(setting);
    if (text.empty() || setting.required || name_of(setting) == "radius" ||
        name_of(setting) == "neighbors" || name_of(setting) == "bin-size" || setting.first) {
      continue;  // no value yet, or a default that means "automatic"
    }
    assign(setting, text);

    EXPECT_EQ(text_of(setting), text) << name_of(setting);
  }
}

TEST_F(RunSettings, CommandLineWinsOverConfigWinsOverCompatibility) {
  apply(settings_, {{"layers", "5"}, {"leaky-slope", "0.3"}},
        with_needed({{"compat", "paper"}, {"layers", "7"}}));

  EXPECT_EQ(options_.autoencoder.layers, 7);
  EXPECT_EQ(options_.autoencoder.leaky_slope, 0.3);
  EXPECT_EQ(options_.autoencoder.head_merge, model::HeadMerge::kSum);
}

TEST_F(RunSettings, NameARequiredOneThatIsMissing) {
  needed_.erase(needed_.begin() + 1);

  const std::string message =
      message_of([&] { apply(settings_, {}, with_needed({})); }, ExitCode::kUsage);

  EXPECT_NE(message.find("--domains is required"), std::string::npos) << message;
}

TEST_F(RunSettings, ListOnTheCommandLineReplacesTheConfigs) {
  std::vector<Setting> settings = run_settings(Job::kCluster, options_);

  apply(settings, {{"embedding", "a"}, {"embedding", "b"}},
        {{"embedding", "c"}, {"embedding", "d"}, {"domains", "2"}, {"out", "o"}});

  EXPECT_EQ(options_.input.embeddings, (std::vector<std::string>{"c", "d"}));
}

class ConfigFile : public RunSettings {
 protected:
  std::vector<GivenValue> read(const std::string& text) {
    test::write_text(path_, text);
    return read_config(path_, settings_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::string path_ = testing::TempDir() + "m2st_config_" + std::to_string(getpid()) + ".toml";
};

TEST_F(ConfigFile, GivesValuesOfEveryType) {
  const std::vector<GivenValue> values =
      read("epochs = 20\nlr = 0.001\nforce = true\ngraph = \"knn\"\nbias = \"off\"\n# a comment\n");
  apply(settings_, values, needed_);

  EXPECT_EQ(options_.train.epochs, 20);
  EXPECT_EQ(options_.train.learning_rate, 0.001);
  EXPECT_TRUE(options_.force);
  EXPECT_EQ(options_.graph.kind, data::GraphKind::kKnn);
  EXPECT_FALSE(options_.autoencoder.bias);
}

TEST_F(ConfigFile, RefusesUnknownKeysTablesListsAndBadSyntax) {
  for (const auto& [text, words] :
       std::vector<std::pair<std::string, std::string>>{{"epoch = 3\n", "key 'epoch'"},
                                                        {"[train]\nepochs = 3\n", "key 'train'"},
                                                        {"epochs = [1, 2]\n", "key 'epochs'"},
                                                        {"epochs = \n", "line 1"}}) {
    const std::string content = text;
    const std::string message = message_of([&] { read(content); }, ExitCode::kUsage);

    EXPECT_NE(message.find(words), std::string::npos) << message;
  }
}

TEST_F(ConfigFile, TakesAnyCharacterInQuotesAndCommentsOnly) {
  const auto values =
      read("\xef\xbb\xbf# größe\nout = \"\"\"a\"\"é\"\"\"\"\nlabels = 'ü'\nepochs = 3\n");
  ASSERT_EQ(values.size(), 3u);
  std::map<std::string, std::string> texts;
  for (const GivenValue& value : values) texts[value.name] = value.text;
  EXPECT_EQ(texts["out"], "a\"\"é\"");
  EXPECT_EQ(texts["labels"], "ü");
  // On these toml++ 3.3 runs into undefined behaviour.
  for (const std::string bad : {"epochs = 50xϯ\n", "epochs = 5-x=\"ъ\"\n", "epochs = 5\x18='ъ'\n",
                                "labels = \"\"\"\\\u3000\"\"\"\n", "epochs = 5-{x=\"ъ\"\n"}) {
    const std::string message = message_of([&] { read("out = \"x\"\n" + bad); }, ExitCode::kUsage);
    EXPECT_NE(message.find("line 2"), std::string::npos) << message;
  }
}

TEST_F(ConfigFile, KeepsTildesAndRefusesThemEscaped) {
  const auto values = read("out = '~/a~7E~C3~'\n\"lab\\u0065ls\" = \"~\\u00e9~\"\n");
  ASSERT_EQ(values.size(), 2u);
  EXPECT_EQ(values[0].text, "~é~");
  EXPECT_EQ(values[1].text, "~/a~7E~C3~");

  const std::string message =
      message_of([&] { read("epochs = 3\nout = \"\\U0000007e\"\n"); }, ExitCode::kUsage);

  EXPECT_NE(message.find("line 2"), std::string::npos) << message;
}

TEST_F(ConfigFile, MissingIsAMissingInput) {
  message_of([&] { read_config(path_ + ".none", settings_); }, ExitCode::kInputMissing);
}

}  // namespace
}  // namespace m2st::apps
