// Zip archives and graphs in files: round trips, what other programs write, and damage.
#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <string>
#include <vector>

#include "data/io/graph_file.h"
#include "data/io/npy.h"
#include "data/io/zip_archive.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace m2st::data {
namespace {

using test::expect_error;

std::string text_of(const InputFile& file) {
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(0, text.data(), file.size());
  return text;
}

class GraphFile : public testing::Test {
 protected:
  std::string file(const std::string& bytes) { return folder_.write("graph.npz", bytes); }
  Adjacency read(const std::string& bytes) { return read_graph(context_, file(bytes)); }
  void expect_refused(const std::string& bytes, std::initializer_list<std::string> words) {
    expect_error(ExitCode::kInputInvalid, words, [&] { read(bytes); });
  }

  CpuContext context_{1};
  test::TemporaryFolder folder_;
  Adjacency graph_{{0, 2, 3, 4, 4}, {1, 2, 0, 0}};
};

TEST_F(GraphFile, ArchivesGiveBackTheirMembers) {
  const std::string path = file(zip_bytes({{"a", "hello"}, {"empty", ""}, {"b/c", "\0\xff"}}));
  const ZipArchive archive(path);

  EXPECT_EQ(archive.names(), (std::vector<std::string>{"a", "empty", "b/c"}));
  EXPECT_EQ(text_of(archive.open("a")), "hello");
  EXPECT_EQ(text_of(archive.open("empty")), "");
  EXPECT_FALSE(archive.holds("d"));
  expect_error(ExitCode::kInputInvalid, {"graph.npz", "holds no d"}, [&] { archive.open("d"); });
}

TEST_F(GraphFile, GraphsSurviveTheRoundTrip) {
  const Adjacency back = read(graph_npz(graph_, std::vector<float>(4, 1)));

  EXPECT_EQ(back.offsets, graph_.offsets);
  EXPECT_EQ(back.neighbours, graph_.neighbours);
}

TEST_F(GraphFile, EntriesOfValueZeroAreNoEdges) {
  const Adjacency back = read(graph_npz(graph_, std::vector<double>{0, 2, 0.5, 0}));

  EXPECT_EQ(back.offsets, (std::vector<std::int64_t>{0, 1, 2, 2, 2}));
  EXPECT_EQ(back.neighbours, (std::vector<std::int32_t>{2, 0}));
}

TEST_F(GraphFile, WhatIsNoSparseGraphIsRefused) {
  expect_refused("", {"graph.npz", "zip"});
  expect_refused("PK\x05\x06", {"cut short"});
  expect_refused(zip_bytes({{"x.npy", ""}}), {"save_npz"});
  std::string tall = graph_npz(graph_, std::vector<float>(4, 1));
  const std::vector<std::int64_t> square = {4, 4}, other = {5, 4};
  const auto bytes = [](const std::vector<std::int64_t>& shape) {
    return npy_bytes<std::int64_t>({shape.data(), 2, 1}, true);
  };
  std::vector<std::pair<std::string, std::string>> members;
  const std::string path = file(tall);
  const ZipArchive archive(path);
  for (const std::string& name : archive.names()) {
    members.emplace_back(name, text_of(archive.open(name)));
    if (name == "shape.npy") {
      EXPECT_EQ(members.back().second, bytes(square));
      members.back().second = bytes(other);
    }
  }
  expect_refused(zip_bytes(members), {"5 x 4", "square"});
}

TEST_F(GraphFile, DamageIsAlwaysASentence) {
  const std::string whole = graph_npz(graph_, std::vector<float>(4, 1));
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    expect_refused(whole.substr(0, size), {"graph.npz"});
  }
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    std::string flipped = whole;
    flipped[random() % flipped.size()] ^= static_cast<char>(1 + random() % 255);
    try {
      read(flipped);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kInputInvalid) << error.what();
    }
  }
}

// What numpy.savez_compressed does with a member.
TEST_F(GraphFile, DeflatedMembersAreUnpacked) {
  const std::string content(5000, 'x');
  std::string packed(6000, '\0');
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  const auto little = [](std::uint64_t value, int width) {
    std::string text;
    for (int i = 0; i < width; ++i) text += static_cast<char>(value >> (8 * i) & 0xFF);
    return text;
  };
  const std::uint64_t sum =
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  const std::string description = little(20, 2) + little(0, 2) + little(8, 2) + little(0, 4) +
                                  little(sum, 4) + little(packed.size(), 4) +
                                  little(content.size(), 4) + little(1, 2) + little(0, 2);
  const std::string local = "PK\x03\x04" + description + "m" + packed;
  const std::string central = "PK\x01\x02" + little(20, 2) + description + little(0, 14) + "m";
  const std::string end = "PK\x05\x06" + little(0, 4) + little(1, 2) + little(1, 2) +
                          little(central.size(), 4) + little(local.size(), 4) + little(0, 2);
  const std::string path = file(local + central + end);

  EXPECT_EQ(text_of(ZipArchive(path).open("m")), content);
}

}  // namespace
}  // namespace m2st::data
